"""What a person does with a lead from the command line, as an event line, and what became of it.

The line goes to the inbox as any other. Its answer is found by the event's id among the facts of
the lead: a refusal with its reason, a stage, a hand-off. Only the lead's partition of a few public
topics is read, from where it ended before the line was sent. Pure but for reading.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from baton.cluster.log import LogReader, Record
from baton.contracts.codec import codec_for
from baton.contracts.identity import SCHEME_PREFIXES, AliasKind, IdentifierScheme
from baton.contracts.intake import MOVED_BY, IdentityAlias, LeadAct, LeadCommand, LeadMerge
from baton.contracts.leads import LeadRefused, LeadStaged
from baton.contracts.partitioner import partition_of
from baton.contracts.routing import MANUAL, HandoffNoted, LeadRouted, LeadUnrouted, RoutingStep
from baton.contracts.topic_names import (
    INTAKE_ALIASES,
    LEADS_ACTS,
    LEADS_COMMANDS,
    LEADS_HANDOFFS,
    LEADS_INBOX_DEAD_LETTERS,
    LEADS_MERGES,
    LEADS_REFUSALS,
    LEADS_ROUTED_SALES,
    LEADS_ROUTED_SDR,
    LEADS_STAGES,
    LEADS_UNROUTED,
)
from baton.contracts.topics import TOPICS
from baton.derived_ids import derived_id
from baton.intake.keyed_records import event_id_of

SOURCE: Final = "baton-cli"
ACTS: Final = ("accepted", "rejected")
COMMANDS: Final = ("claim", "pass_on", "assign")
ANSWER_TOPICS: Final = (
    LEADS_ACTS,
    LEADS_COMMANDS,
    LEADS_REFUSALS,
    LEADS_STAGES,
    LEADS_HANDOFFS,
    LEADS_ROUTED_SDR,
    LEADS_ROUTED_SALES,
    LEADS_UNROUTED,
    LEADS_MERGES,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActLine:
    """An event line and the id that Baton gives the event."""

    body: Mapping[str, Any]
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """``state``: ``done`` or ``refused``; ``reason`` is a stable word."""

    state: str
    reason: str
    text: str


def line_of(
    kind: str,
    lead_id: str,
    *,
    by: str,
    at_ms: int,
    more: Mapping[str, str | None] | None = None,
) -> ActLine:
    """The line for an act or a command; ``more``: hand-off, reason, to_person, to_pool."""
    signed: dict[str, Any] = {"kind": kind, "by": by}
    signed |= {name: value for name, value in (more or {}).items() if value is not None}
    part = "act" if kind in ACTS else "command"
    return _line(
        lead_id, kind, at_ms, {"kind": part, part: signed}, by, str(sorted(signed.items()))
    )


def _line(lead_id: str, kind: str, at_ms: int, body: Mapping[str, Any], *own: str) -> ActLine:
    own_id = derived_id(SOURCE, kind, lead_id, at_ms, *own)
    whole = {
        "id": own_id,
        "source": SOURCE,
        "occurred_at": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds"),
        "identifiers": {"lead": lead_id},
        **body,
    }
    return ActLine(body=whole, event_id=event_id_of(SOURCE, own_id))


def identifier_of(text: str) -> tuple[str, str] | None:
    """Scheme and value of ``ann@acme.example``, ``user:u-1``, ``anonymous:b7d0c1`` or
    ``hubspot:4711``; None for none of them."""
    scheme, _, value = text.strip().partition(":")
    if value and scheme in SCHEME_PREFIXES:
        return scheme, value
    if "@" in text:
        return IdentifierScheme.EMAIL.value, text.strip()
    return (IdentifierScheme.CRM.value, text.strip()) if value else None


def identity_line(
    kind: str,
    lead_id: str,
    others: Mapping[str, str],
    *,
    by: str,
    at_ms: int,
    reason: str | None = None,
) -> ActLine:
    """The line for ``merge`` or ``unmerge``: ``others`` (by scheme; a second lead id under
    ``lead``) are the same person as the lead, or are not."""
    named: dict[str, Any] = {"lead": lead_id}
    for scheme, value in others.items():
        named[scheme] = [lead_id, value] if scheme == "lead" else value
    signed = {"kind": kind, "by": by} | ({"reason": reason} if reason else {})
    own = (by, *(f"{scheme}:{value}" for scheme, value in sorted(others.items())))
    line = _line(lead_id, kind, at_ms, {"kind": "command", "command": signed}, *own)
    return ActLine(body={**line.body, "identifiers": named}, event_id=line.event_id)


class AnswerWatch:
    """Follows the facts of a lead from where they ended when it was made. ``identity``: the key of
    an identifier whose lead is followed too."""

    def __init__(self, reader: LogReader, lead_id: str, identity: str | None = None) -> None:
        self._reader = reader
        self._ends: dict[tuple[str, int], int | None] = {}
        for topic in ANSWER_TOPICS:
            self._follow(topic, lead_id)
        if identity is not None:
            self._follow(INTAKE_ALIASES, identity)
        for number, (_, end) in reader.ends(LEADS_INBOX_DEAD_LETTERS).items():
            self._ends[LEADS_INBOX_DEAD_LETTERS, number] = end

    def _follow(self, topic: str, key: str) -> None:
        ends = self._reader.ends(topic)
        number = partition_of(key.encode(), len(ends))
        self._ends[topic, number] = ends[number][1]

    def news(self) -> Iterator[Record]:
        """What was appended since the last call, in the order of each partition."""
        for record in self._reader.read_from(self._ends):
            self._ends[record.topic, record.partition] = record.offset + 1
            yield record


class AnswerFinder:
    """Finds what became of one event among records of its lead, whatever order its topics are read
    in.

    A command ends a hand-off, in a record that names it, and the next attempt is its answer: what
    moves the lead at the same moment for another cause is none. Of a hand-off that was not
    published yet the end is not published either; then the answer is known by its path, once the
    end would have been read.
    """

    def __init__(
        self, line: ActLine, lead_id: str, *, kind: str, identity: str | None = None
    ) -> None:
        self._line, self._lead, self._kind = line, lead_id, kind
        self._identity = identity
        self._taken = False
        self._ended: HandoffNoted | None = None
        self._handoffs: dict[tuple[str, int], tuple[Answer, bool]] = {}
        self._known_by_path: Answer | None = None

    @property
    def taken(self) -> bool:
        """The event has passed intake."""
        return self._taken

    def look(self, record: Record) -> Answer | None:
        """What the record says of the event; None: nothing final."""
        if record.topic == LEADS_INBOX_DEAD_LETTERS:
            return self._dead(record)
        wanted = self._identity if record.topic == INTAKE_ALIASES else self._lead
        if record.value is None or wanted is None or record.key != wanted.encode():
            return None
        spec = TOPICS[record.topic].record
        assert spec is not None, record.topic
        return self._say(codec_for(spec).decode(record.value))

    def _say(self, value: Any) -> Answer | None:
        event_id = self._line.event_id
        match value:
            case LeadAct() | LeadCommand() if value.event_id == event_id:
                self._taken = True
                return None
            case LeadRefused() if value.cause_id == event_id:
                return _refused(value.reason, value.detail)
            case HandoffNoted() if value.cause_id == event_id and value.kind == "refused":
                return _refused(value.reason, None)
            case HandoffNoted() if value.cause_id == event_id and value.kind == "withdrawn":
                self._taken, self._ended = True, value
                return self._next_attempt()
            case LeadStaged() if value.cause_id == event_id and value.event in ACTS:
                return _done(value.event, f"the lead is at {value.to_stage}")
            case LeadRouted() if self._kind in COMMANDS:
                text = f"{value.owner} has it, in {value.pool}"
                return self._keep(value, _done(value.rule, text))
            case LeadUnrouted() if self._kind in COMMANDS:
                pool, reason = value.pool or "no pool", _words(value.reason)
                text = f"{value.outcome} in {pool}, {reason}"
                return self._keep(value, _done(value.reason, text))
            case IdentityAlias() if self._left(value):
                return _done("unmerged", f"it belongs to lead {value.lead_id} from now on")
            case LeadMerge() if value.cause_id == event_id:
                return _done("merged", f"{value.loser} ended in {value.survivor}")
        return None

    def _keep(self, handoff: LeadRouted | LeadUnrouted, answer: Answer) -> Answer | None:
        commanded = RoutingStep(rule=MANUAL, outcome=MOVED_BY[self._kind]) in handoff.path
        place = handoff.qualification_id, handoff.attempt
        self._handoffs.setdefault(place, (answer, commanded))
        return self._next_attempt()

    def _next_attempt(self) -> Answer | None:
        if self._ended is None:
            return None
        place = self._ended.qualification_id, self._ended.attempt + 1
        answer, _ = self._handoffs.get(place, (None, False))
        return answer

    def all_read(self, *, last: bool) -> Answer | None:
        """What is known once every topic was read to its end: an answer that was there when all
        were read before. ``last``: nothing further will be read."""
        if self._ended is not None:
            return (
                _done(
                    self._ended.reason,
                    "the former hand-off ended; who has it now is not decided yet",
                )
                if last
                else None
            )
        known = self._known_by_path
        self._known_by_path = next(
            (answer for answer, commanded in self._handoffs.values() if commanded), None
        )
        return self._known_by_path if self._taken and (last or known is not None) else None

    def _left(self, alias: IdentityAlias) -> bool:
        return alias.kind == AliasKind.RESOLVED and alias.lead_id != self._lead

    def _dead(self, record: Record) -> Answer | None:
        if str(self._line.body["id"]).encode() not in (record.value or b""):
            return None
        reason = record.header("__dlq.errors.message") or "no reason given"
        return Answer(state="refused", reason="dead_letter", text=f"not taken: {reason}")


def answer_within(
    news: Callable[[], Iterator[Record]],
    finder: AnswerFinder,
    *,
    pauses: Sequence[float],
    sleep: Callable[[float], None],
) -> Answer | None:
    """What became of it, looked for after each of ``pauses`` (seconds); None: nothing yet."""
    for number, pause in enumerate(pauses, start=1):
        sleep(pause)
        for record in news():
            if (answer := finder.look(record)) is not None:
                return answer
        if (answer := finder.all_read(last=number == len(pauses))) is not None:
            return answer
    return None


def _done(reason: str, text: str) -> Answer:
    return Answer(state="done", reason=reason, text=f"done: {text}")


def _refused(reason: str, detail: str | None) -> Answer:
    more = f": {detail}" if detail else ""
    return Answer(state="refused", reason=reason, text=f"refused, {_words(reason)}{more}")


def _words(reason: str) -> str:
    return reason.replace("_", " ")
