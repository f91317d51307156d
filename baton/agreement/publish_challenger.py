"""Beginning and ending a challenger: records of ``baton.agreements.v1``, by the same rules as a
publication."""

from __future__ import annotations

from dataclasses import dataclass

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.challengers import CHANGEABLE, PPM, Challenge, changed_sections
from baton.agreement.model.agreement import Agreement
from baton.agreement.publish import AgreementTopic, NotPublished, book_of, fitting, next_offset
from baton.agreement.reference import SIDES, AgreementBook
from baton.contracts.reference_records import AgreementRecord
from baton.derived_ids import derived_id

SMALLEST_PPM, LARGEST_PPM = 10_000, 500_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """``changed`` False: this very challenger runs or is to run already."""

    challenge: Challenge
    changed: bool


def publish_challenger(
    topic: AgreementTopic, model: Agreement, *, share_ppm: int, until_ms: int, now_ms: int
) -> Begun:
    """Let ``model`` score a share of the accounts until then, beside the agreement in force.

    Refused where it is not signed by both sides, changes more than one way of scoring, or another
    challenger runs.
    """
    if not SMALLEST_PPM <= share_ppm <= LARGEST_PPM:
        raise NotPublished("a challenger has from 1% to 50% of the accounts")
    if until_ms <= now_ms:
        raise NotPublished("a challenger needs an end that is still to come: --until DAY")
    text = canonical_text(model)
    version = version_of(text)
    written = topic.read()
    book = book_of(written)
    running = _running(book, now_ms)
    if running is not None:
        if _same(running, version, share_ppm, until_ms):
            return Begun(challenge=running, changed=False)
        raise NotPublished(
            f"challenger {running.version} runs already: one change at a time; end it with "
            "baton challenger --stop"
        )
    _allow(book, version, text, now_ms)
    record = AgreementRecord(
        record_id=derived_id("challenger", version, next_offset(written)),
        kind="challenger",
        version=version,
        text=text,
        share_ppm=share_ppm,
        until_ms=until_ms,
    )
    topic.write(fitting(record))
    begun = book_of(topic.read()).challenges()[-1:]
    if not begun or begun[0].version != version:
        raise NotPublished("the challenger would end before it begins: name a later --until")
    return Begun(challenge=begun[0], changed=True)


def stop_challenger(topic: AgreementTopic, *, now_ms: int) -> Challenge | None:
    """End the challenger that runs; None where none does."""
    written = topic.read()
    running = _running(book_of(written), now_ms)
    if running is None:
        return None
    topic.write(
        AgreementRecord(
            record_id=derived_id("challenger_stopped", running.version, next_offset(written)),
            kind="challenger_stopped",
            version=running.version,
        )
    )
    return running


def _running(book: AgreementBook, now_ms: int) -> Challenge | None:
    return next((one for one in book.challenges() if now_ms < one.until_ms), None)


def _same(running: Challenge, version: str, share_ppm: int, until_ms: int) -> bool:
    known = (running.version, running.share_ppm, running.until_ms)
    return known == (version, share_ppm, until_ms)


def _allow(book: AgreementBook, version: str, text: str, now_ms: int) -> None:
    missing = sorted(SIDES - book.approvals(version).keys())
    if missing:
        raise NotPublished(
            f"version {version} is not signed by {' and '.join(missing)} yet: "
            f"baton agreement approve FILE --as {missing[0]} --by NAME"
        )
    champion = book.at(now_ms)
    if champion is None:
        raise NotPublished("no agreement is in force that could be challenged")
    changed = changed_sections(canonical_text(champion.agreement.raw), text)
    if not changed:
        raise NotPublished("it scores as the agreement in force does: there is nothing to try")
    others = [name for name in changed if name not in CHANGEABLE]
    if others:
        raise NotPublished(
            f"a challenger may change how leads are scored ({', '.join(CHANGEABLE)}); this one "
            f"changes {', '.join(others)}, which both arms share: publish that for everybody"
        )
    if len(changed) > 1:
        raise NotPublished(
            f"it changes {' and '.join(changed)} at once, so nobody could say what made the "
            "difference: try one after the other"
        )


def share_ppm_of(text: str) -> int:
    """Millionths of ``20%``. Raises ValueError."""
    try:
        share = float(text.removesuffix("%"))
    except ValueError:
        raise ValueError(f'"{text}" is no share: write one such as 20%') from None
    return round(share * PPM / 100)
