"""Consent at a hand-out: by the record's own story, and by what was accepted of the lead by then.

Pure: all records of one lead go in, findings come out. The agreement's rule is read, not run.
"""

from collections.abc import Iterator, Mapping, Sequence

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.compiled.consent import ConsentRule
from baton.contracts.intake import LeadEvent, LeadInput, LeadMerge
from baton.contracts.routing import LeadRouted
from baton.contracts.transfers import LeadTransfer
from baton.proof.audit.findings import Add, Dated, Finding, Invariant

_GRANTED, _REFUSED = "granted", "refused"


def check_consent(
    record: Dated, records: Sequence[Dated], agreement: CompiledAgreement, grace_ms: int, add: Add
) -> None:
    """Refused by the record's own story; or by what was accepted, whatever of the last moments was
    known already."""
    routed: LeadRouted = record.value
    rule = agreement.consent.hand_off
    raised = routed.hand_raised and rule.hand_raise_allows
    if raised:
        return
    if not _allows(rule, routed.qualified.story.consents):
        add(
            _finding(
                f"{routed.owner} is given a lead whose story refuses {rule.purpose}",
                record,
            )
        )
        return
    if any(isinstance(other.value, LeadMerge) for other in records):
        return  # what comes late to the lead that ended goes ways of its own
    if not _may_be_known(routed, records, rule, grace_ms):
        words = f"{routed.owner} is given a lead that had refused {rule.purpose}"
        add(_finding(words, record))


def _may_be_known(
    routed: LeadRouted, records: Sequence[Dated], rule: ConsentRule, grace_ms: int
) -> bool:
    """Whether the rule allows it by what was accepted, with as much of the last moments as there
    may have been known."""
    said = [
        other for other in _heard(routed.lead_id, records) if other.at_ms <= routed.routed_at_ms
    ]
    gone = {other.value.retracts for other in said}
    left = _left(routed, records, grace_ms)
    acts = [
        other
        for other in said
        if other.value.consent is not None
        and other.value.event_id not in gone
        and not (other.value.consent.granted and other.value.event_id in left)
    ]
    sure = [act for act in acts if act.at_ms < routed.routed_at_ms - grace_ms]
    later = acts[len(sure) :]
    return any(
        _allows(rule, _newest([act.value for act in (*sure, *later[:number])]))
        for number in range(len(later) + 1)
    )


def _left(routed: LeadRouted, records: Sequence[Dated], grace_ms: int) -> set[str]:
    """The events of those who had been separated from the lead long before. What they granted
    is theirs alone; a refusal stays with both."""
    return {
        event_id
        for other in records
        if isinstance(other.value, LeadInput)
        and other.value.separation is not None
        and other.value.separation.lead_id == routed.lead_id
        and other.at_ms < routed.routed_at_ms - grace_ms
        for event_id in other.value.separation.event_ids
    }


def _heard(lead_id: str, records: Sequence[Dated]) -> Iterator[Dated]:
    """What was accepted of the lead, and what it took along from a lead that it left."""
    for record in records:
        if isinstance(record.value, LeadEvent):
            yield record
        elif isinstance(record.value, LeadTransfer) and record.value.survivor == lead_id:
            for event in record.value.events:
                yield Dated(at_ms=record.at_ms, place=record.place, value=event)


def _newest(events: Sequence[LeadEvent]) -> dict[str, str]:
    """``purpose/channel`` to the newest word on it; a word on ``any`` channel is one on each whose
    own is older."""
    words: dict[tuple[str, str], tuple[int, bool, str]] = {}
    for event in events:
        if event.consent is not None:
            place = event.consent.purpose, event.consent.channel
            word = event.occurred_at_ms, not event.consent.granted, event.event_id
            words[place] = max(word, words.get(place, word))
    found = {}
    for (purpose, channel), word in words.items():
        newest = max(word, words.get((purpose, "any"), word))
        found[f"{purpose}/{channel}"] = _REFUSED if newest[1] else _GRANTED
    return found


def _allows(rule: ConsentRule, consents: Mapping[str, str]) -> bool:
    overall = consents.get(f"{rule.purpose}/any")
    words = [consents.get(f"{rule.purpose}/{channel}", overall) for channel in rule.channels]
    if _GRANTED in words:
        return True
    return not rule.opt_in and any(word != _REFUSED for word in words)


def _finding(words: str, record: Dated) -> Finding:
    return Finding(invariant=Invariant.CONSENT, words=words, place=record.place)
