"""Signing and publishing an agreement: the only writer of ``baton.agreements.v1``.

What is in the topic decides: every function here reads it whole first, so nothing is written twice
and a publication without both signatures is refused. Record ids are unique, so that compaction
removes nothing of the history.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from unicodedata import normalize

from confluent_kafka import Producer

from baton.agreement.books import book_records
from baton.agreement.canonical import canonical_text, compiled_of, version_of
from baton.agreement.model.agreement import Agreement
from baton.agreement.reference import SIDES, AgreementBook
from baton.agreement.source.read import agreement_of
from baton.clients import confluent_options, confluent_producer_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.reference_records import AgreementRecord
from baton.contracts.topic_names import BATON_AGREEMENTS
from baton.contracts.topics import TOPICS, physical
from baton.derived_ids import derived_id
from baton.settings import Settings

_FLUSH_S = 30.0


class NotPublished(RuntimeError):
    """The agreement was not published (or not signed); the text says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A record of the topic with its append time, ms."""

    record: AgreementRecord
    at_ms: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a wish: ``changed`` False means that everything was so already."""

    version: str
    changed: bool
    from_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signs, as they call themselves, and as whom the way in knows them."""

    name: str
    account: str | None = None


class AgreementTopic(Protocol):
    """Reads and writes the topic; tests have one in memory."""

    def read(self) -> Sequence[Written]:
        """Everything in it, in order."""

    def write(self, record: AgreementRecord) -> None:
        """Append, and return when it is safe."""


class KafkaAgreementTopic:
    """The topic on the cluster of ``settings``."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def read(self) -> Sequence[Written]:
        """Everything in it, in order."""
        codec = codec_for(AgreementRecord)
        with closing(
            LogReader(confluent_options(self._settings), self._settings.namespace)
        ) as reader:
            return [
                Written(record=codec.decode(record.value), at_ms=record.at_ms, offset=record.offset)
                for record in reader.read({BATON_AGREEMENTS: [0]})
                if record.value is not None
            ]

    def write(self, record: AgreementRecord) -> None:
        """Append, and return when the cluster has it."""
        failures: list[str] = []
        producer = Producer(confluent_producer_options(self._settings))
        producer.produce(
            physical(self._settings.namespace, BATON_AGREEMENTS),
            key=record.record_id.encode(),
            value=codec_for(AgreementRecord).encode(record),
            partition=0,
            headers=_headers(record),
            on_delivery=lambda error, _: failures.append(str(error)) if error else None,
        )
        if producer.flush(_FLUSH_S) or failures:
            raise NotPublished(
                "the cluster did not take the record: "
                f"{failures[0] if failures else 'no answer in time'}"
            )


def book_of(written: Sequence[Written]) -> AgreementBook:
    """The topic, folded as every task folds it."""
    book = AgreementBook()
    for earlier in written:
        book.take(earlier.record, earlier.at_ms)
    return book


def approve(
    topic: AgreementTopic, model: Agreement, *, side: str, by: str, account: str | None = None
) -> Outcome:
    """Sign the version of ``model`` for ``side``; ``account``: as whom the way in knows who signs.
    Signing again changes nothing. Refused is the name that has signed for the other side: one
    person signs one side."""
    if side not in SIDES:
        raise NotPublished(f'"{side}" is no side of the agreement: sign as marketing or as sales')
    if not (name := " ".join(by.split())):
        raise NotPublished(f"nobody is named who signs for {side}: give a name")
    version = version_of(canonical_text(model))
    written = topic.read()
    for other, approval in book_of(written).approvals(version).items():
        if other != side and approval.by is not None and _same_person(approval.by, name):
            raise NotPublished(
                f"version {version} was signed for {other} by {approval.by}, and one person signs "
                f"one side: let somebody else sign for {side}"
            )
    return _sign(topic, written, version, side, Signer(name=name, account=account))


def _same_person(one: str, other: str) -> bool:
    plain = (" ".join(normalize("NFKC", name).casefold().split()) for name in (one, other))
    return len(set(plain)) == 1


def _sign(
    topic: AgreementTopic, written: Sequence[Written], version: str, side: str, signer: Signer
) -> Outcome:
    if side in book_of(written).approvals(version):
        return Outcome(version=version, changed=False)
    record = AgreementRecord(
        record_id=derived_id("approved", version, side, next_offset(written)),
        kind="approved",
        version=version,
        side=side,
        by=signer.name,
        account=signer.account,
    )
    topic.write(record)
    return Outcome(version=version, changed=True)


def publish(
    topic: AgreementTopic,
    model: Agreement,
    *,
    now_ms: int,
    source: str | None = None,
    effective_at_ms: int | None = None,
) -> Outcome:
    """Publish the version of ``model``: in force at the soonest, or at ``effective_at_ms``.

    Refused until both sides have signed this very version. A version that is in force (or will be,
    and nothing after it) is not published again; an earlier one may be, which brings it back.
    """
    text = canonical_text(model)
    version = version_of(text)
    written = topic.read()
    book = book_of(written)
    missing = sorted(SIDES - book.approvals(version).keys())
    if missing:
        raise NotPublished(
            f"version {version} is not signed by {' and '.join(missing)} yet: "
            f"baton agreement approve FILE --as {missing[0]} --by NAME"
        )
    terms = book.terms()
    if terms and terms[-1].version == version:
        return Outcome(version=version, changed=False, from_ms=terms[-1].from_ms)
    _ship_books(topic, model, written)
    wanted = effective_at_ms if effective_at_ms is not None else _effective(model)
    record = AgreementRecord(
        record_id=derived_id("published", version, next_offset(written)),
        kind="published",
        version=version,
        effective_at_ms=wanted if wanted is not None and wanted > now_ms else None,
        text=text,
        source=source,
    )
    topic.write(fitting(record))
    return Outcome(version=version, changed=True, from_ms=book_of(topic.read()).terms()[-1].from_ms)


def _ship_books(topic: AgreementTopic, model: Agreement, written: Sequence[Written]) -> None:
    """Write the parts of the agreement's books that are not there yet."""
    there = {(part.record.version, part.record.part) for part in written}
    for part in book_records(model.attached):
        if (part.version, part.part) not in there:
            topic.write(part)


def put_in_force(
    topic: AgreementTopic, model: Agreement, *, by: str, now_ms: int, source: str | None = None
) -> Outcome:
    """Sign for both sides and publish, for a first start and for demonstrations, where ``by`` is no
    person. Nothing if the version is in force already."""
    version = version_of(canonical_text(model))
    for side in sorted(SIDES):
        _sign(topic, topic.read(), version, side, Signer(name=by))
    return publish(topic, model, now_ms=now_ms, source=source)


async def publish_agreement(
    settings: Settings,
    source: str,
    *,
    by: str = "first start",
    file: str = "agreement.yaml",
    replace: bool = False,
) -> Outcome:
    """Check the YAML ``source`` and put it in force on the cluster of ``settings``, signed for both
    sides by ``by``.

    Where an agreement is in force already it stays and is what is returned, unless ``replace``.
    Raises :class:`~baton.agreement.source.read.AgreementRefused` with everything that is wrong.
    """
    model = agreement_of(source, file)

    def run() -> Outcome:
        topic = KafkaAgreementTopic(settings)
        terms = book_of(topic.read()).terms()
        if terms and not replace:
            return Outcome(version=terms[-1].version, changed=False, from_ms=terms[-1].from_ms)
        return put_in_force(topic, model, by=by, now_ms=wall_ms(), source=source)

    return await asyncio.to_thread(run)


def wall_ms() -> int:
    """The worker's clock: only to distinguish a moment in the future from one that has passed. The
    log's time decides."""
    return int(datetime.now(UTC).timestamp() * 1000)


def _effective(model: Agreement) -> int | None:
    return compiled_of(model).effective_at_ms


def next_offset(written: Sequence[Written]) -> int:
    """Where the next record of the topic will lie."""
    return written[-1].offset + 1 if written else 0


def fitting(record: AgreementRecord) -> AgreementRecord:
    """The record, without its YAML where the two together are too long for the topic."""
    limit = TOPICS[BATON_AGREEMENTS].max_bytes
    if len(codec_for(AgreementRecord).encode(record)) <= limit:
        return record
    bare = replace(record, source=None)
    if len(codec_for(AgreementRecord).encode(bare)) > limit:
        raise NotPublished(
            f"the agreement is longer than the {limit // 1024} KB that the topic takes: shorten "
            "its examples"
        )
    return bare


def _headers(record: AgreementRecord) -> list[tuple[str, str | bytes | None]]:
    values: Mapping[str, Any] = {
        "ce_id": record.record_id,
        "ce_source": "/baton/agreement",
        "ce_type": "baton.AgreementRecord.v1",
        "ce_time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "ce_specversion": "1.0",
        "baton_agreement": record.version,
    }
    return [(name, str(value).encode()) for name, value in values.items()]
