"""Absences of people: published to the running system on ``baton.people.v1``, apart from the
agreement, as they come."""

from datetime import datetime
from zoneinfo import ZoneInfo

from confluent_kafka import Producer

from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.problems import did_you_mean
from baton.agreement.publish import NotPublished
from baton.agreement.reference import AgreementReference
from baton.agreement.wall_time import zone_named
from baton.clients import confluent_producer_options
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import PeopleRecord
from baton.contracts.topic_names import BATON_PEOPLE
from baton.contracts.topics import physical
from baton.derived_ids import derived_id
from baton.settings import Settings

_FLUSH_S = 30.0


class WrongAbsence(ValueError):
    """The absence cannot be recorded as it was asked for; the text says why."""


def absence_of(
    agreement: CompiledAgreement,
    person: str,
    *,
    starts: str,
    ends: str,
    reason: str,
    cancelled: bool,
) -> PeopleRecord:
    """The record of an absence from ``starts`` to ``ends`` (a day or a moment; without an offset in
    the person's time zone)."""
    if person not in agreement.people:
        raise WrongAbsence(
            f'person "{person}" is not in the agreement in '
            f"force{did_you_mean(person, agreement.people)}"
        )
    zone = zone_named(str(agreement.calendar_for(person=person).zone))
    from_ms, until_ms = _moment_ms(starts, zone), _moment_ms(ends, zone)
    if until_ms <= from_ms:
        raise WrongAbsence(
            f"{ends} is not after {starts}: an absence ends when the person is back (a day off "
            "ends at the next day)"
        )
    record_id = derived_id(
        "absence", person, from_ms, until_ms, "cancelled" if cancelled else "away"
    )
    return PeopleRecord(
        record_id=record_id,
        person=person,
        from_ms=from_ms,
        until_ms=until_ms,
        reason=reason,
        cancelled=cancelled,
    )


def cancelling(reference: AgreementReference, person: str, *, now_ms: int) -> list[PeopleRecord]:
    """What takes back the absence of ``person`` that runs at ``now_ms``, else the next one; raises
    :class:`WrongAbsence` where there is none."""
    coming = sorted(
        (known.from_ms, known.until_ms)
        for known in reference.absences
        if known.person == person and known.until_ms > now_ms
    )
    if not coming:
        raise WrongAbsence(f'"{person}" is not away, nor is an absence to come known')
    # Overlapping absences that run now all have to go, or the person stays away.
    running = [span for span in coming if span[0] <= now_ms]
    return [
        PeopleRecord(
            record_id=derived_id("absence", person, from_ms, until_ms, "cancelled"),
            person=person,
            from_ms=from_ms,
            until_ms=until_ms,
            cancelled=True,
        )
        for from_ms, until_ms in running or coming[:1]
    ]


def publish_absence(settings: Settings, record: PeopleRecord) -> None:
    """Append the record, and return when the cluster has it."""
    failures: list[str] = []
    producer = Producer(confluent_producer_options(settings))
    headers: list[tuple[str, str | bytes | None]] = [
        ("ce_id", record.record_id.encode()),
        ("ce_source", b"/baton/agreement"),
        ("ce_type", b"baton.PeopleRecord.v1"),
        ("ce_specversion", b"1.0"),
    ]
    producer.produce(
        physical(settings.namespace, BATON_PEOPLE),
        key=record.record_id.encode(),
        value=codec_for(PeopleRecord).encode(record),
        partition=0,
        headers=headers,
        on_delivery=lambda error, _: failures.append(str(error)) if error else None,
    )
    if producer.flush(_FLUSH_S) or failures:
        raise NotPublished(
            "the cluster did not take the record: "
            f"{failures[0] if failures else 'no answer in time'}"
        )


def _moment_ms(text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise WrongAbsence(f'"{text}" is no moment: write 2026-12-01 or 2026-12-01T13:00') from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp() * 1000)
