"""``baton down``: stops what ``baton up`` started, also what a killed one left behind."""

import typer

from baton.local.up.former import stop_run
from baton.settings import load_settings

app = typer.Typer(add_completion=False)


@app.command(
    epilog=(
        "Data stays: the next `baton up` goes on where this one ended. To delete it: baton broker "
        "stop --delete-data"
    )
)
def down() -> None:
    """Stop Baton and clean up. Calling it again does no harm.

    Services end first, each after its open transaction, then the broker if `baton up` started it.
    Nothing else is touched: a broker of BATON_BOOTSTRAP, or one of `baton broker start`, goes on.
    """
    stopped = stop_run(load_settings().home, lambda text: typer.echo(text, err=True))
    typer.echo("stopped" if stopped else "nothing runs")
