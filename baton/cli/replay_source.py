"""Where the facts of a replay come from: the cluster, or a file of event lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import typer

from baton.agreement.canonical import compiled_of
from baton.agreement.compiled.agreement import CompiledAgreement
from baton.agreement.publish import KafkaAgreementTopic, wall_ms
from baton.agreement.source.read import read_agreement
from baton.backtest.cluster_history import documents_of_topic, history_of_cluster
from baton.backtest.history import (
    History,
    documents_of_file,
    history_of,
)
from baton.backtest.in_force import AgreementRecords
from baton.backtest.raw_facts import RawFact
from baton.backtest.replayed_facts import facts_of_cluster, facts_of_lines
from baton.cli.cluster import cluster_settings
from baton.cli.moments import moment_ms
from baton.clients import confluent_options
from baton.cluster.log import LogReader
from baton.contracts.codec import codec_for
from baton.contracts.intake import LeadInput
from baton.contracts.topic_names import LEADS_PERSONS
from baton.screens.live import reference_now
from baton.simulation.input_lines import read_lines

_YEAR_DAYS = 365


@dataclass(frozen=True, slots=True)
class Source:
    """Where facts and history come from; ``name`` is its own: an interrupted run goes on by it.
    ``addresses``: the lead with an e-mail address; of a file known when its facts are read.
    ``records``: of what was in force before ``old``."""

    old: CompiledAgreement
    facts: Callable[[], Iterable[RawFact]]
    history: Callable[[], History | None]
    until_ms: int
    name: str
    addresses: Callable[[], Mapping[str, str]]
    records: AgreementRecords = ()


def source_of_file(events: Path, old: Path | None, history: Path | None) -> Source:
    """The facts of a file of event lines, under the agreement that was in force."""
    if old is None:
        raise typer.BadParameter("--events needs --old, the agreement that was in force")
    agreement = compiled_of(read_agreement(old))
    arrivals = read_lines(events.read_bytes(), events.name)
    if not arrivals:
        raise typer.BadParameter("the file has no events", param_hint="--events")
    seen = events.stat()
    known: dict[str, str] = {}

    codec = codec_for(LeadInput)

    def facts() -> Iterator[RawFact]:
        for fact in facts_of_lines(arrivals, agreement):
            message: LeadInput = codec.decode(fact.value)
            if message.person is not None and message.person.email:
                known[message.person.email.lower()] = message.lead_id
            yield fact

    return Source(
        agreement,
        facts,
        lambda: None if history is None else history_of(documents_of_file(history)),
        arrivals[-1].at_ms + 1,
        f"{events.resolve()} {seen.st_size} {seen.st_mtime_ns}",
        lambda: known,
    )


def source_of_cluster() -> Source:
    """The book of record, under the agreement in force."""
    settings, now_ms = cluster_settings(), wall_ms()

    def reader() -> LogReader:
        return LogReader(confluent_options(settings), settings.namespace)

    def facts() -> Iterable[RawFact]:
        with reader() as log:
            yield from facts_of_cluster(log, 0)

    def history() -> History:
        with reader() as log:
            return history_of_cluster(log, 0)

    def addresses() -> Mapping[str, str]:
        with reader() as log:
            found = (one["value"] for one in documents_of_topic(log, LEADS_PERSONS))
            return {
                value["person"]["email"].lower(): value["lead_id"]
                for value in found
                if value and not value["erased"] and value["person"]["email"]
            }

    with reader() as log:
        agreement = reference_now(log, now_ms=now_ms).agreement
    records = tuple((one.record, one.at_ms) for one in KafkaAgreementTopic(settings).read())
    return Source(agreement, facts, history, now_ms, settings.namespace, addresses, records)


def since_ms(text: str | None) -> int | None:
    """The moment of ``--since``; years too."""
    if text is None:
        return None
    if text.endswith("y") and text[:-1].isdigit():
        text = f"{int(text[:-1]) * _YEAR_DAYS}d"
    return moment_ms(text)
