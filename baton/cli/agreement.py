"""``baton agreement``: the file that marketing and sales sign, from a first draft to being in
force."""

import json
from dataclasses import asdict
from pathlib import Path

import typer
from rich.console import Console
from rich.table import Table

from baton.agreement.canonical import canonical_text, compiled_of, version_of
from baton.agreement.diff import changes
from baton.agreement.language_schema import schema_text
from baton.agreement.model.engagement import DEFAULT_PER_DAY, groups_without_limit
from baton.agreement.publish import (
    KafkaAgreementTopic,
    NotPublished,
    approve,
    book_of,
    wall_ms,
)
from baton.agreement.source.read import examine, read_agreement
from baton.agreement_report.agreement_tables import shown
from baton.cli.agreement_in_force import compiled_in_force
from baton.cli.agreement_words import act_words, print_changes, since_words, verdict
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.cli.publication import publish_
from baton.cli.signer_account import account_of

app = typer.Typer(
    add_completion=False,
    help="What marketing and sales agree on: check it, compare it, sign it, put it in force.",
)

_FILE = typer.Argument(..., exists=True, dir_okay=False, help="The agreement (YAML).")
_JSON = typer.Option(False, "--json", help="One JSON document on standard output.")


@app.command(epilog="Example:  baton agreement check examples/agreements/software.yaml")
def check(file: Path = _FILE, as_json: bool = _JSON) -> None:
    """Everything that can be checked in an agreement and its books: each fault with its line, the
    reason and the way out. Where a structure is wrong, what depends on it is checked once it is
    mended. Exit 1 for errors."""
    examined = examine(file.read_bytes(), file.parent)
    version = (
        version_of(canonical_text(examined.model))
        if examined.model and not examined.errors
        else None
    )
    if as_json:
        problems = [
            {**asdict(problem), "severity": problem.severity.value} for problem in examined.problems
        ]
        typer.echo(json.dumps({"file": str(file), "version": version, "problems": problems}))
    else:
        for problem in examined.problems:
            typer.echo(problem.described(str(file)), err=True)
        typer.echo(verdict(file, version, examined))
        if (
            version is not None
            and examined.model is not None
            and (silent := groups_without_limit(examined.model.engagement))
        ):
            typer.echo(
                f"acts a day that count in {', '.join(silent)}, which set no per_day: "
                f"{DEFAULT_PER_DAY}"
            )
    if version is None:
        raise typer.Exit(1)


@app.command()
def show(
    file: Path = typer.Argument(
        None, exists=True, dir_okay=False, help="The agreement (YAML); without it the one in force."
    ),
    as_json: bool = _JSON,
) -> None:
    """An agreement as tables: levels, points, pools, promises, reasons."""
    model = read_agreement(file) if file else compiled_in_force().raw
    if as_json:
        typer.echo(canonical_text(model))
        return
    for line in shown(compiled_of(model)):
        Console().print(line)


@app.command(
    epilog=(
        "Examples:  baton agreement diff old.yaml new.yaml        baton agreement diff new.yaml   "
        "(against the one in force)"
    )
)
def diff(
    old: Path = typer.Argument(
        ...,
        exists=True,
        dir_okay=False,
        help="The former one; alone: what is compared with the one in force.",
    ),
    new: Path = typer.Argument(None, exists=True, dir_okay=False, help="The new one."),
    as_json: bool = _JSON,
) -> None:
    """What changes from one agreement to another, in words."""
    before, after = (
        (read_agreement(old), read_agreement(new))
        if new
        else (compiled_in_force().raw, read_agreement(old))
    )
    found = changes(before, after)
    if as_json:
        versions = [version_of(canonical_text(model)) for model in (before, after)]
        typer.echo(
            json.dumps(
                {
                    "old": versions[0],
                    "new": versions[1],
                    "changes": [asdict(change) for change in found],
                }
            )
        )
        return
    print_changes(found)


@app.command(
    "approve", epilog="Example:  baton agreement approve agreement.yaml --as marketing --by mona"
)
def approve_(
    file: Path = _FILE,
    side: str = typer.Option(..., "--as", help="The side you sign for: marketing or sales."),
    by: str = typer.Option(..., "--by", help="Who signs; one person signs one side."),
) -> None:
    """Sign an agreement for one side. It is the hash that is signed: any change of meaning needs
    new signatures.

    Beside the name stands, in `baton agreement history`, as whom the way in knows you: the brokers'
    user (BATON_SASL_USERNAME), else the account on this machine.
    """
    settings, model = cluster_settings(), read_agreement(file)
    account = account_of(settings)
    outcome = approve(KafkaAgreementTopic(settings), model, side=side, by=by, account=account)
    if outcome.changed:
        typer.echo(f"version {outcome.version} is signed for {side} by {by}")
    else:
        typer.echo(f"version {outcome.version} was signed for {side} already")


app.command(
    "publish",
    epilog="Examples:  baton agreement publish agreement.yaml --effective-at 2026-12-01T00:00"
    "        baton agreement publish new.yaml --challenger 20% --until 2027-03-31",
)(publish_)


@app.command()
def history(as_json: bool = _JSON) -> None:
    """Who signed what, what was published, and from when on each version is in force."""
    topic = KafkaAgreementTopic(cluster_settings())
    records = topic.read()
    terms = book_of(records).terms()
    if as_json:
        entries = [
            {"at_ms": record.at_ms, **asdict(record.record), "text": None, "source": None}
            for record in records
        ]
        typer.echo(
            json.dumps({"records": entries, "in_force": [asdict(version) for version in terms]})
        )
        return
    table = Table(box=None, header_style="bold")
    for heading in ("when", "version", "what"):
        table.add_column(heading)
    for record in records:
        table.add_row(written(record.at_ms), record.record.version, act_words(record))
    Console().print(table if records else "no agreement was ever signed or published here")
    for term in terms:
        typer.echo(f"version {term.version} is in force {since_words(term.from_ms)}")


@app.command()
def schema(
    out: Path = typer.Option(
        None, "--out", dir_okay=False, help="Write it there instead of to standard output."
    ),
) -> None:
    """The JSON Schema of the language, for completion and help in editors."""
    if out:
        out.write_text(schema_text(), encoding="utf-8")
        typer.echo(f"{out} written; begin your file with: # yaml-language-server: $schema={out}")
    else:
        typer.echo(schema_text(), nl=False)


@app.command()
def new(
    file: Path = typer.Argument(Path("agreement.yaml"), dir_okay=False, help="Where to write it."),
    force: bool = typer.Option(False, "--force", help="Write over a file that is there."),
) -> None:
    """Write a first agreement with comments, to be changed together."""
    if file.exists() and not force:
        raise NotPublished(
            f"{file} is there already; give another name, or --force to write over it"
        )
    starter = Path(__file__).resolve().parents[1] / "agreement" / "starter.yaml"
    file.write_text(starter.read_text(encoding="utf-8"), encoding="utf-8")
    typer.echo(f"{file} written; change it, then: baton agreement check {file}")


@app.command("test", epilog="Example:  baton agreement test examples/agreements/services.yaml")
def examples(file: Path = _FILE, as_json: bool = _JSON) -> None:
    """Run the examples in an agreement through the whole system in memory, and compare with what
    both sides expect."""
    from baton.agreement_report.examples import run_examples

    ran = list(run_examples(read_agreement(file)))
    failed = [run for run in ran if run.differences]
    if as_json:
        typer.echo(json.dumps([asdict(run) for run in ran]))
    else:
        for run in ran:
            typer.echo(f"{'differs' if run.differences else 'passed '}  {run.name}")
            for difference in run.differences:
                typer.echo(
                    f"           {difference.what}: expected {difference.expected}, came to "
                    f"{difference.found}"
                )
        typer.echo(f"{len(ran) - len(failed)} passed, {len(failed)} differ")
    if failed:
        raise typer.Exit(1)


@app.command(epilog="Example:  baton agreement impact new.yaml")
def impact(file: Path = _FILE, as_json: bool = _JSON) -> None:
    """What an agreement would change for the leads there are now: how many would qualify at once,
    by pool, and a person's load; which pools end, with the leads in them, and which goals and
    promises.

    Reads the running system's state; changes nothing.
    """
    from baton.agreement_report.impact import impact_of, impact_tables
    from baton.screens.agreement_endings import Endings, endings, endings_tables
    from baton.screens.live import live

    model, settings, now_ms = read_agreement(file), cluster_settings(), wall_ms()
    found = impact_of(settings, model, now_ms=now_ms)
    ends = Endings()
    if found.old is not None:
        with live(settings, now_ms=now_ms) as cluster:
            states = cluster.states("assignment")
            ends = endings(states, cluster.reference, compiled_of(model), now_ms=now_ms)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "ends": asdict(ends)}))
        return
    for table in (*impact_tables(found), *endings_tables(ends)):
        Console().print(table)
