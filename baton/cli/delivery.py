"""``baton delivery``: what goes out, to whom, what failed; send again, pause, check."""

import json
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from baton.cli.moments import written
from baton.flow import delivery_commands
from baton.settings import load_settings

app = typer.Typer(add_completion=False)

_JSON = typer.Option(False, "--json", help="One JSON object a line.")


@app.callback()
def delivery() -> None:
    """Webhooks, Slack, mail and CRM: what goes out and what failed.

    `baton worker delivery` (or `baton up`) delivers to the targets of the file that
    BATON_DELIVERY_TARGETS names. A delivery is waiting (it is tried again by itself), sent, dead
    (given up after ten attempts over three days; resend it), or cancelled (its person was
    forgotten). A target that answered 410, or failed for five days, is disabled: what is for it
    waits until `baton delivery resume NAME`.
    """


@app.command(epilog="Example:  baton delivery targets")
def targets(as_json: bool = _JSON) -> None:
    """List the targets: what waits for them, and how they are. Exit 1 if one is disabled."""
    found = delivery_commands().targets(load_settings())
    if as_json:
        _lines(found)
    else:
        _targets_table(found)
    raise typer.Exit(1 if any(row["disabled"] for row in found) else 0)


@app.command(
    "list",
    epilog="Examples:  baton delivery list --state dead        "
    "baton delivery list --target crm --json | jq -r .id",
)
def list_(
    state: str = typer.Option(None, help="Only waiting, sent, dead or cancelled ones."),
    target: str = typer.Option(None, help="Only those of this target."),
    limit: int = typer.Option(50, min=1, max=100_000, help="At most so many, the newest first."),
    as_json: bool = _JSON,
) -> None:
    """List deliveries with their outcome, without what is in them."""
    found = delivery_commands().listed(load_settings(), state=state, target=target, limit=limit)
    if as_json:
        _lines(found)
        return
    table = Table("id", "target", "what", "state", "tries", "outcome", "next")
    for row in found:
        following = written(row["next_at_ms"]) if row["state"] == "waiting" else ""
        cells = (row["id"], row["target"], row["topic"], row["state"], str(row["attempts"]))
        table.add_row(*cells, row["outcome"] or "", following)
    Console().print(table)


@app.command(epilog="Example:  baton delivery show msg_0f3c...")
def show(name: str = typer.Argument(help="The id, as `baton delivery list` shows it.")) -> None:
    """Print one delivery as JSON, with what is in it: take care, it may name a person."""
    typer.echo(json.dumps(delivery_commands().shown(load_settings(), name), indent=2))


@app.command(
    epilog="Examples:  baton delivery resend msg_0f3c...        "
    "baton delivery resend --dead crm-sync"
)
def resend(
    names: list[str] = typer.Argument(None, help="Ids of dead or sent deliveries."),
    dead: str = typer.Option(None, help="All dead ones of this target."),
) -> None:
    """Send deliveries again, under the same id and signed with the secret of now.

    A receiver that honours ids ignores what it has already. The attempt does not count for the
    target's health. Exit 1 if one of the ids could not be sent again: it waits already, its payload
    is gone, or there is none such.
    """
    wanted = list(names or ())
    if not wanted and dead is None:
        raise typer.BadParameter("name ids, or a target with --dead")
    found = delivery_commands().resend(load_settings(), wanted, dead)
    for name in found:
        typer.echo(name)
    raise typer.Exit(0 if set(wanted) <= set(found) else 1)


@app.command(epilog="Example:  baton delivery pause crm-sync")
def pause(name: str = typer.Argument(help="The target.")) -> None:
    """Send nothing to a target until it is resumed; what is for it waits. Also the kill switch of
    a CRM."""
    delivery_commands().pause(load_settings(), name, True)
    typer.echo(
        f"{name} is paused; nothing is lost meanwhile. Go on with: baton delivery resume {name}"
    )


@app.command(epilog="Example:  baton delivery resume crm-sync")
def resume(name: str = typer.Argument(help="The target.")) -> None:
    """Let a paused or disabled target go on; it counts as healthy again."""
    delivery_commands().pause(load_settings(), name, False)
    typer.echo(f"{name} goes on")


@app.command(epilog="Example:  baton delivery cancel crm-sync --yes")
def cancel(
    name: str = typer.Argument(help="The target, in the file of targets or no longer."),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Cancel what waits for a target: it is not sent any more, and cannot be sent again. For one
    that was taken out of the file, or has been away for too long."""
    if not yes:
        typer.confirm(f"Cancel everything that waits for {name}?", abort=True)
    number = delivery_commands().cancel(load_settings(), name)
    typer.echo(f"cancelled {number} deliveries to {name}")


@app.command(epilog="Example:  BATON_DELIVERY_TARGETS=targets.yaml baton delivery check")
def check(as_json: bool = _JSON) -> None:
    """Read the file of targets and ask every target whether it could be delivered to: the address
    is allowed and answers, the token is alive, a signed check is taken and a wrongly signed one
    refused, every calendar can be read. Delivers no record. Exit 1 if one could not."""
    found = delivery_commands().check(load_settings())
    for name, good, words in found:
        if as_json:
            typer.echo(json.dumps({"target": name, "good": good, "words": words}))
        else:
            typer.echo(f"{'good ' if good else 'wrong'}  {name}: {words}")
    if not found and not as_json:
        typer.echo("no targets; BATON_DELIVERY_TARGETS names the file that has them")
    raise typer.Exit(0 if all(good for _, good, _ in found) else 1)


def _targets_table(found: list[dict[str, Any]]) -> None:
    table = Table("target", "kind", "state", "waiting", "dead", "last outcome", "failures")
    for row in found:
        state = "disabled: " + row["disabled"] if row["disabled"] else ""
        state = state or ("paused" if row["paused"] else "on")
        cells = (row["name"], row["kind"], state, str(row["waiting"]), str(row["dead"]))
        table.add_row(*cells, row["last_outcome"] or "", str(row["failures"]))
    Console().print(table)


def _lines(found: list[dict[str, Any]]) -> None:
    for row in found:
        typer.echo(json.dumps(row))
