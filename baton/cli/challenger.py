"""``baton challenger``: the verdict on the challenger, or its end."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import chain
from pathlib import Path
from typing import Any

import typer
from rich.console import Console

from baton.agreement.challengers import Challenge
from baton.agreement.publish import KafkaAgreementTopic, book_of, wall_ms
from baton.agreement.publish_challenger import stop_challenger
from baton.agreement.quantities import duration_words, parse_duration_ms
from baton.agreement.reference import AgreementBook
from baton.backtest.board_history import accounts_of_board, facts_of_board
from baton.backtest.challenger_verdict import Arm, ArmLedger, Finding, Verdict, verdict
from baton.backtest.history import OUTCOMES, documents_of_file
from baton.cli.cluster import cluster_settings
from baton.cli.moments import written
from baton.cli.trial_document import trial_document
from baton.contracts.topic_names import LEADS_QUALIFIED, LEADS_SCORED, LEADS_STAGES
from baton.flow import board_commands
from baton.settings import load_settings

app = typer.Typer(add_completion=False)

_TOPICS = (LEADS_SCORED, LEADS_QUALIFIED, LEADS_STAGES)
_HISTORY = typer.Option(
    None, "--history", exists=True, dir_okay=False, help="Public facts of a file, not the board's."
)


class NoChallenger(RuntimeError):
    """No challenger was ever published; the text says how to."""


class NoFacts(RuntimeError):
    """There is no board on this machine; the text says what to do."""


@app.command(
    "challenger",
    epilog="Examples:  baton challenger        baton challenger --outcome accepted --window 30d"
    "        baton challenger --stop",
)
def challenger_(
    stop: bool = typer.Option(False, "--stop", help="End it now; all are scored alike again."),
    outcome: str = typer.Option("opportunity", "--outcome", help=f"{', '.join(OUTCOMES)}."),
    window: str = typer.Option("90d", "--window", help="An outcome counts within it."),
    history: Path | None = _HISTORY,
    as_json: bool = typer.Option(False, "--json", help="One JSON document on standard output."),
) -> None:
    """The latest challenger against the agreement in force: which share of what either arm handed
    over reached the outcome.

    Rates and not volumes, since both share the same people. Before the fixed end, and before every
    outcome had its time, only counts are shown. Arms of other sizes than agreed have no verdict.
    """
    if outcome not in OUTCOMES:
        raise typer.BadParameter(f"one of {', '.join(OUTCOMES)}", param_hint="--outcome")
    topic, now_ms = KafkaAgreementTopic(cluster_settings()), wall_ms()
    if stop:
        ended = stop_challenger(topic, now_ms=now_ms)
        typer.echo("no challenger runs" if ended is None else f"{ended.version} is stopped")
        return
    book = book_of(topic.read())
    challenge, champion = _latest(book)
    ledger = ArmLedger(challenge=challenge, champion=champion).take_all(_facts(history))
    found = verdict(ledger, outcome=outcome, window_ms=_window_ms(window), now_ms=now_ms)
    if as_json:
        words = verdict_lines(challenge, found)
        trial = trial_document("challenger", challenge.version, words)
        typer.echo(json.dumps(asdict(found) | {"trial": trial}))
        return
    for line in verdict_lines(challenge, found):
        Console().print(line, soft_wrap=True, highlight=False, markup=False)


def _latest(book: AgreementBook) -> tuple[Challenge, str]:
    """The latest challenger, and the version that was in force beside it."""
    if not book.challenges():
        raise NoChallenger(
            "there was no challenger: baton agreement publish FILE --challenger 20% --until DAY"
        )
    challenge = book.challenges()[-1]
    reference = book.at(challenge.from_ms)
    assert reference is not None, "a challenger needs an agreement in force"
    return challenge, reference.version


def _facts(history: Path | None) -> Iterable[Mapping[str, Any]]:
    if history is not None:
        return documents_of_file(history)
    path = board_commands().files_of(load_settings()).current()
    if path is None:
        raise NoFacts("there is no board on this machine; run this where it is, or --history")
    return chain(accounts_of_board(path), facts_of_board(path, _TOPICS))


def _window_ms(text: str) -> int:
    try:
        return parse_duration_ms(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--window") from None


def verdict_lines(challenge: Challenge, found: Verdict) -> Iterator[str]:
    """The verdict for people."""
    yield (
        f"challenger {challenge.version} with {challenge.share_ppm / 10_000:g}% of the accounts, "
        f"{written(challenge.from_ms)} - {written(challenge.until_ms)}"
    )
    yield f"{found.outcome} within {duration_words(found.window_ms)} of being handed over"
    for name, arm in (("champion", found.champion), ("challenger", found.challenger)):
        yield f"  {name} {arm.version}: {_arm_words(arm)}"
    if found.design_effect > 1:
        yield (
            f"accounts were drawn, not leads: {found.design_effect:.1f} leads of the champion say "
            "as much as one of an account of its own"
        )
    yield _finding_words(found)
    if found.finding in (Finding.NOT_YET, Finding.TOO_FEW, Finding.NONE) and found.more:
        yield (
            f"to find {found.detect * 100:g} points of difference four times in five, the smaller "
            f"arm needs {found.more:,} more"
        )


def _arm_words(arm: Arm) -> str:
    words = f"{arm.scored:,} leads of {arm.accounts:,} accounts scored, {arm.handed:,} handed over"
    if arm.reached is None:
        return words
    if arm.rate is None or arm.low is None or arm.high is None:
        return f"{words}, {arm.reached:,} reached it; too few for a rate"
    return f"{words}, {arm.reached:,} = {arm.rate:.1%} ({arm.low:.1%} - {arm.high:.1%})"


def _finding_words(found: Verdict) -> str:
    if found.finding is Finding.NOT_YET:
        return f"not yet: the verdict comes {written(found.verdict_at_ms)}, and once"
    if found.difference is None or found.low is None or found.high is None:
        return f"no verdict: {found.finding.value}"
    points = f"{found.difference * 100:+.1f} ({found.low * 100:+.1f} - {found.high * 100:+.1f})"
    return f"{found.finding.value}: challenger less champion {points} points"
