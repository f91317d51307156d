"""Toy reducers that together use everything the engine offers, and their topics.

``fan -> (shelf, judge)`` is a small flow with an upstream; the others stand alone. Every record
type has a provisional schema.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from baton.contracts.codec import provisional
from baton.contracts.topics import TopicSpec, dead_letter_topic, engine_topics
from baton.engine.reducer import Drop, EntryKind, Event, Fact, Put, Reducer, Rejection, Step, View

TERMS_LEAD_MS = 10_000
"""New terms hold so long after their append, as the contract of a reference book demands."""


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyNumber:
    """A number to add. 666 makes the counter raise; ``fan_out`` makes it report so many totals."""

    amount: int
    fan_out: int = 1


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyTotal:
    """State of the counter and what it reports."""

    count: int
    total: int
    terms: str
    at_ms: int


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyAdopted:
    """The counter's key came under new terms."""

    old: str
    new: str
    at_ms: int


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyClick:
    """A click; its session ends ``gap_ms`` after the last one. ``gap_ms`` 0 ends the session
    silently."""

    gap_ms: int


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToySession:
    """State of a session, and what is reported at its end."""

    clicks: int
    first_ms: int
    last_ms: int
    ended_ms: int = 0


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyOrder:
    """Becomes one line for each of ``lines``, keyed by it."""

    lines: tuple[str, ...]
    remove: bool = False


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyLine:
    """One line of an order."""

    order: str
    remove: bool
    ordered_at_ms: int


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyShelf:
    """Head of a shelf: how often it was touched."""

    touched: int


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyStock:
    """What lies on a shelf now: the first few orders and how many."""

    count: int
    first: tuple[str, ...]
    last: tuple[str, ...]


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyStart:
    """Starts a clock: a line of this key must reach the log within ``within_ms``."""

    within_ms: int


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyClock:
    """State of the judge: the deadline, and whether it was said that it passed unproven."""

    deadline_ms: int
    unproven: bool = False


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyVerdict:
    """How a clock ended: ``met``, ``breached``, ``unproven``."""

    verdict: str
    deadline_ms: int
    at_ms: int


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyNamed:
    """Its name is the key of its record."""

    name: str


@provisional
@dataclass(frozen=True, slots=True, kw_only=True)
class ToyTermsRecord:
    """A version of the terms; the first ever holds for all time before it too."""

    version: str


@dataclass(frozen=True, slots=True)
class ToyTerms:
    """What holds at a moment."""

    version: str


class ToyBook:
    """The toy reference book."""

    topics: tuple[str, ...] = ("toy.terms.v1",)

    def __init__(self, *versions: str) -> None:
        self._known: list[tuple[int, ToyTerms]] = [(0, ToyTerms(version)) for version in versions]

    def add(self, event: Event) -> None:
        self._known.append((event.at_ms + TERMS_LEAD_MS, ToyTerms(event.value.version)))

    def at(self, now: int) -> ToyTerms | None:
        if not self._known:
            return None
        return next(
            (terms for since, terms in reversed(self._known) if since <= now), self._known[0][1]
        )


class Counter(Reducer[ToyTotal, ToyTerms]):
    """Adds numbers; adopts new terms; raises on 666."""

    name = "counter"
    service = "toys"
    inputs = ("toy.numbers.v1",)
    outputs = ("toy.totals.v1", "toy.adopted.v1")
    head_type = ToyTotal
    adopts = True

    def step(
        self, view: View[ToyTotal], event: Event, *, now: int, reference: ToyTerms
    ) -> Step[ToyTotal]:
        if event.value.amount == 666:
            raise ZeroDivisionError("the value 666 of somebody@example.com must not be quoted")
        count, total = (view.head.count, view.head.total) if view.head else (0, 0)
        head = ToyTotal(
            count=count + 1, total=total + event.value.amount, terms=reference.version, at_ms=now
        )
        return Step(head=head, facts=(Fact("toy.totals.v1", view.key, head),) * event.value.fan_out)

    def adopt(self, view: View[ToyTotal], *, old: str, new: ToyTerms, now: int) -> Step[ToyTotal]:
        assert view.head is not None
        head = ToyTotal(count=view.head.count, total=view.head.total, terms=new.version, at_ms=now)
        reported = Fact("toy.adopted.v1", view.key, ToyAdopted(old=old, new=new.version, at_ms=now))
        return Step(head=head, wake_at=view.wake_at, facts=(reported,))


class Session(Reducer[ToySession, ToyTerms]):
    """Ends a session some time after its last click."""

    name = "session"
    service = "toys"
    inputs = ("toy.clicks.v1",)
    outputs = ("toy.sessions.v1",)
    head_type = ToySession

    def step(
        self, view: View[ToySession], event: Event, *, now: int, reference: ToyTerms
    ) -> Step[ToySession]:
        if event.value.gap_ms == 0:
            return Step(head=None)
        first, clicks = (view.head.first_ms, view.head.clicks) if view.head else (now, 0)
        head = ToySession(clicks=clicks + 1, first_ms=first, last_ms=now)
        return Step(head=head, wake_at=now + event.value.gap_ms)

    def wake(self, view: View[ToySession], *, now: int, reference: ToyTerms) -> Step[ToySession]:
        assert view.head is not None
        ended = ToySession(
            clicks=view.head.clicks,
            first_ms=view.head.first_ms,
            last_ms=view.head.last_ms,
            ended_ms=now,
        )
        return Step(head=None, facts=(Fact("toy.sessions.v1", view.key, ended),))


class Fan(Reducer[Any, ToyTerms]):
    """Stateless: an order becomes lines under other keys."""

    name = "fan"
    service = "toys"
    inputs = ("toy.orders.v1",)
    outputs = ("toy.lines.v1",)
    head_type = None

    def step(self, view: View[Any], event: Event, *, now: int, reference: ToyTerms) -> Step[Any]:
        line = ToyLine(order=view.key, remove=event.value.remove, ordered_at_ms=event.at_ms)
        return Step(
            head=None, facts=tuple(Fact("toy.lines.v1", entry, line) for entry in event.value.lines)
        )


STOCK = EntryKind("stock", ToyLine)


class Shelf(Reducer[ToyShelf, ToyTerms]):
    """Keeps lines as entries; the head goes when the last one does."""

    name = "shelf"
    service = "toys"
    inputs = ("toy.lines.v1",)
    outputs = ("toy.stock.v1",)
    head_type = ToyShelf
    entry_kinds = (STOCK,)

    def step(
        self, view: View[ToyShelf], event: Event, *, now: int, reference: ToyTerms
    ) -> Step[ToyShelf]:
        item, line = event.value.order, event.value
        here = view.get(STOCK, item) is not None
        after = (
            view.count(STOCK)
            + (0 if here or line.remove else 1)
            - (1 if here and line.remove else 0)
        )
        stock = ToyStock(
            count=after,
            first=tuple(scan for scan, _ in view.scan(STOCK, limit=3)),
            last=tuple(scan for scan, _ in view.scan(STOCK, limit=2, reverse=True)),
        )
        return Step(
            head=ToyShelf(touched=view.head.touched + 1 if view.head else 1) if after else None,
            put=() if line.remove else (Put(STOCK, item, line),),
            drop=(Drop(STOCK, item),) if line.remove else (),
            facts=(Fact("toy.stock.v1", view.key, stock),),
        )


class Judge(Reducer[ToyClock, ToyTerms]):
    """Says whether a line came in time; its timers are checked against the fan upstream."""

    name = "judge"
    service = "toys"
    inputs = ("toy.lines.v1", "toy.starts.v1")
    outputs = ("toy.verdicts.v1",)
    head_type = ToyClock
    upstream = ("fan",)

    def step(
        self, view: View[ToyClock], event: Event, *, now: int, reference: ToyTerms
    ) -> Step[ToyClock]:
        if isinstance(event.value, ToyStart):
            deadline = event.at_ms + event.value.within_ms
            return Step(head=ToyClock(deadline_ms=deadline), wake_at=deadline)
        if view.head is None or event.received_at_ms > view.head.deadline_ms:
            return Step(head=view.head, wake_at=view.wake_at)
        return Step(head=None, facts=(self._verdict(view, "met", view.head.deadline_ms, now),))

    def wake(self, view: View[ToyClock], *, now: int, reference: ToyTerms) -> Step[ToyClock]:
        assert view.head is not None
        deadline = view.head.deadline_ms
        if view.proven:
            return Step(head=None, facts=(self._verdict(view, "breached", deadline, now),))
        reported = () if view.head.unproven else (self._verdict(view, "unproven", deadline, now),)
        return Step(
            head=ToyClock(deadline_ms=deadline, unproven=True), wake_at=deadline, facts=reported
        )

    @staticmethod
    def _verdict(view: View[ToyClock], verdict: str, deadline_ms: int, now: int) -> Fact:
        return Fact(
            "toy.verdicts.v1",
            view.key,
            ToyVerdict(verdict=verdict, deadline_ms=deadline_ms, at_ms=now),
        )


class Door(Reducer[Any, ToyTerms]):
    """Stateless, reads what the outside sends: a decimal number becomes a ToyNumber, all else a
    dead letter."""

    name = "door"
    service = "toys"
    inputs = ("toy.outside.v1",)
    outputs = ("toy.admitted.v1",)
    head_type = None

    def step(self, view: View[Any], event: Event, *, now: int, reference: ToyTerms) -> Step[Any]:
        if not event.value.isdigit():
            return Step(head=None, rejected=Rejection("not_a_number", "send decimal digits"))
        return Step(
            head=None,
            facts=(Fact("toy.admitted.v1", view.key, ToyNumber(amount=int(event.value))),),
        )


class Named(Reducer[ToyNamed, ToyTerms]):
    """Keeps the last value; its topic says which field is the key."""

    name = "named"
    service = "toys"
    inputs = ("toy.named.v1",)
    outputs = ()
    head_type = ToyNamed

    def step(
        self, view: View[ToyNamed], event: Event, *, now: int, reference: ToyTerms
    ) -> Step[ToyNamed]:
        return Step(head=event.value)


REDUCERS: tuple[Reducer[Any, ToyTerms], ...] = (
    Door(),
    Counter(),
    Session(),
    Fan(),
    Shelf(),
    Judge(),
    Named(),
)


def _topics() -> Mapping[str, TopicSpec]:
    flow: tuple[tuple[str, type | None, str], ...] = (
        ("toy.numbers.v1", ToyNumber, "tests"),
        ("toy.totals.v1", ToyTotal, "toys"),
        ("toy.adopted.v1", ToyAdopted, "toys"),
        ("toy.clicks.v1", ToyClick, "tests"),
        ("toy.sessions.v1", ToySession, "toys"),
        ("toy.orders.v1", ToyOrder, "tests"),
        ("toy.lines.v1", ToyLine, "toys"),
        ("toy.stock.v1", ToyStock, "toys"),
        ("toy.starts.v1", ToyStart, "tests"),
        ("toy.verdicts.v1", ToyVerdict, "toys"),
        ("toy.outside.v1", None, "outside"),
        ("toy.admitted.v1", ToyNumber, "toys"),
        (dead_letter_topic("toy.outside.v1"), None, "toys"),
    )
    specs = [
        TopicSpec(name=name, record=record, says="toy", key="toy", writer=writer)
        for name, record, writer in flow
    ]
    named = TopicSpec(
        name="toy.named.v1",
        record=ToyNamed,
        says="toy",
        key="name",
        writer="tests",
        key_field="name",
    )
    specs.append(named)
    specs.append(
        TopicSpec(
            name="toy.terms.v1",
            record=ToyTermsRecord,
            says="toy",
            key="toy",
            writer="tests",
            partitions=1,
        )
    )
    specs += [spec for reducer in REDUCERS for spec in engine_topics(reducer.name, reducer.service)]
    return {spec.name: spec for spec in specs}


TOY_TOPICS: Mapping[str, TopicSpec] = _topics()
