"""``baton tail``: any topic, decoded, one JSON object a line."""

from itertools import islice

import typer
from rich.console import Console

from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms
from baton.cli.patience import patience
from baton.clients import confluent_options
from baton.cluster.decoded import as_line
from baton.cluster.log import LogReader
from baton.contracts.partitioner import partition_of

app = typer.Typer(add_completion=False)


_TOPICS = typer.Argument(help="Topics of the catalogue: see `baton topics --all`.")
_SINCE = typer.Option(
    None,
    "--since",
    help="From then on: an ISO time, or 15m, 2h, 3d ago. Without it: from now on.",
)
_BEGINNING = typer.Option(
    False, "--from-beginning", help="From the first record that is still there."
)
_FOLLOW = typer.Option(True, "--follow/--no-follow", help="Wait for more, or stop at the end.")
_KEY = typer.Option(
    None, "--key", help="Only this key (a lead id, say): reads one partition alone."
)
_COUNT = typer.Option(None, "--count", "-n", min=1, help="Stop after so many records.")


@app.command(
    no_args_is_help=True,
    epilog=(
        "Examples:  baton tail leads.routed.sdr.v1        baton tail leads.scored.v1 --since 1h "
        "--no-follow | jq .value.grade"
    ),
)
def tail(
    topics: list[str] = _TOPICS,
    since: str = _SINCE,
    beginning: bool = _BEGINNING,
    follow: bool = _FOLLOW,
    key: str = _KEY,
    count: int = _COUNT,
) -> None:
    """Print the records of topics, decoded, one JSON object a line. It joins no group and commits
    nothing."""
    settings = cluster_settings()
    wanted = None if key is None else key.encode()
    with LogReader(confluent_options(settings), settings.namespace, follows=follow) as reader:
        places = {}
        for topic in topics:
            partitions = reader.partitions(topic)
            places[topic] = (
                list(range(partitions)) if wanted is None else [partition_of(wanted, partitions)]
            )
        found = reader.read(
            places,
            since_ms=moment_ms(since) if since else None,
            follow=follow,
            from_end=follow and not since and not beginning,
        )
        doing = (
            f"waiting for records of {', '.join(topics)} ..."
            if follow
            else f"reading {', '.join(topics)} ..."
        )
        with patience(Console(stderr=True), doing) as waiting:
            for record in islice(
                (record for record in found if wanted is None or record.key == wanted), count
            ):
                waiting.hide()
                typer.echo(as_line(record))
                waiting.said()
