"""``python -m baton.proof.chaos``: what ``make chaos`` runs."""

import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from baton.local.broker.fetch import fetch_jars
from baton.proof.chaos.chaos_run import ChaosRun
from baton.proof.chaos.node_network import Network, enter, may_have_network
from baton.proof.chaos.options import Options, options_of
from baton.proof.chaos.order import Outcome
from baton.settings import default_cache


def main() -> int:
    """Run, print the outcome, and give the exit code."""
    options, console = options_of(sys.argv[1:]), Console(stderr=True)
    cache = Path(os.environ.get("BATON_CACHE") or default_cache())
    network = None
    if options.order.brokers > 1:
        fetch_jars(cache)  # a network of one's own reaches nobody
        if may_have_network():
            enter([sys.executable, "-m", "baton.proof.chaos", *sys.argv[1:]])
            network = Network(options.order.brokers)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # however it is ended, nothing stays behind
        signal.signal(number, signal.default_int_handler)
    home = Path(tempfile.mkdtemp(prefix="baton-chaos-"))
    try:
        outcome = ChaosRun(
            home,
            options.order,
            cache=cache,
            say=lambda text: console.print(text, highlight=False),
            network=network,
        ).run()
    except KeyboardInterrupt:
        console.print("stopped")
        return 130
    finally:
        if options.order.keep:
            console.print(f"kept: {home}", highlight=False)
        else:
            shutil.rmtree(home, ignore_errors=True)
    _print(options, outcome)
    for words in (*outcome.skipped, *outcome.wrong[:50]):
        console.print(f"[red]{words}[/]", soft_wrap=True, highlight=False)
    return 1 if outcome.wrong else 0


def _print(options: Options, outcome: Outcome) -> None:
    if options.as_json:
        print(json.dumps(outcome.as_document()))
        return
    table = Table(
        box=None,
        show_header=False,
        title=", ".join(f"{name} {seconds:.0f} s" for name, seconds in outcome.seconds.items()),
        title_justify="left",
    )
    rows = {
        **dict(outcome.faults),
        "lines sent": outcome.sent,
        "acknowledged events": outcome.acknowledged,
        **{f"lines by {way}": lines for way, lines in sorted(outcome.by_way.items())},
        "lines sent again": outcome.unknown,
        "dead letters meant": outcome.poison,
        "offsets behind when the faults were over": outcome.backlog,
        "worker starts": outcome.worker_starts,
        "records the witness saw": outcome.witnessed,
        "events audited": outcome.report.checked["events"],
        "leads audited": outcome.report.checked["leads"],
        "batches computed again": outcome.report.checked["batches"],
        "not as promised": len(outcome.wrong),
    }
    for name, number in rows.items():
        table.add_row(name, f"{number:,}")
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
