"""A seeded scheduler over the whole flow in memory: the same seed, the same faults, the same log.

Between any two steps of any task it may crash the task, abort its transaction, hand its partition to another owner while the former one goes on,
keep a partition's news from it for a while, let time jump, or send an event twice. What must hold afterwards is the audit's business.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.model.condition import Op, Test
from baton.agreement.model.lifecycle import GateModel
from baton.agreement.reading import read_agreement
from baton.agreement.reference import AGREEMENTS_TOPIC, SIDES, AgreementBook
from baton.cli.flow import all_reducers
from baton.contracts.codec import codec_for
from baton.contracts.reference import AgreementRecord
from baton.contracts.routing import LeadRouted
from baton.contracts.topics import TOPICS
from baton.demo.company import iso
from baton.demo.staff import deeds
from baton.engine.batch import Limits
from baton.engine.memory import Aborted, Crash, Fenced, MemoryHost, MemoryTask, Moment

BEGINS_MS = 1_795_327_861_000
INBOX = "leads.inbox.v1"
PARTITIONS = 2
_AGREEMENT = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "demo.yaml"
_ACTS = ("page_view", "pricing_view", "form", "webinar", "demo_request", "trial_started")
_LIMITS = (Limits(), Limits(outputs=3, wakes=1))


def agreement() -> tuple[str, str]:
    """Canonical text and version of the demonstration's agreement."""
    text = canonical_text(read_agreement(_AGREEMENT))
    return text, version_of(text)


def agreement_that_asks_accounts() -> tuple[str, str]:
    """The same, where nobody is an MQL before a second person of the account is engaged: leads and accounts tell each other."""
    model = read_agreement(_AGREEMENT)
    gate = GateModel(when=Test(field="account.engaged_people", op=Op.AT_LEAST, value=2))
    text = canonical_text(
        model.model_copy(update={"lifecycle": model.lifecycle.model_copy(update={"gates": {"Two of them": gate}})})
    )
    return text, version_of(text)


@dataclass(slots=True)
class Run:
    """One seed. ``trace`` is what was done to whom, in order; ``faults`` counts by kind."""

    seed: int
    host: MemoryHost
    random: Random
    trace: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    waiting: list[tuple[int, bytes]] = field(default_factory=list)
    answered: int = 0

    def note(self, what: str, task: MemoryTask | None = None) -> None:
        name = "" if task is None else f" {task.reducer.name}[{task.partition}]"
        self.trace.append(f"{self.host.log.now - BEGINS_MS}{name} {what}")
        self.faults[what] = self.faults.get(what, 0) + 1


def play(seed: int, text: str, version: str) -> Run:
    """Run the scenario of ``seed`` to its end, faults and all."""
    random = Random(seed)
    host = MemoryHost(
        all_reducers(), AgreementBook(), partitions=PARTITIONS, start_ms=BEGINS_MS - 60_000, limits=random.choice(_LIMITS)
    )
    _agree(host, text, version)
    host.advance(BEGINS_MS)
    run = Run(seed=seed, host=host, random=random, waiting=_lines(random))
    while run.waiting:
        run.waiting.sort(key=lambda each: each[0])
        at_ms, line = run.waiting.pop(0)
        _pass_time(run, at_ms)
        _send(host, line, random)
        _disturb(run)
        _answers(run)
    _undelay(run)
    host.settle()
    _answers(run)
    host.advance(host.log.now + 30_000)
    return run


def _agree(host: MemoryHost, text: str, version: str) -> None:
    for side in sorted(SIDES):
        host.send(
            AGREEMENTS_TOPIC,
            f"{version}:{side}",
            AgreementRecord(record_id=f"{version}:{side}", kind="approved", version=version, side=side),
        )
    published = AgreementRecord(record_id=version, kind="published", version=version, effective_at_ms=host.log.now, text=text)
    host.send(AGREEMENTS_TOPIC, version, published)


def _lines(random: Random) -> list[tuple[int, bytes]]:
    lines = []
    for number in range(random.randint(1, 3)):
        identifiers: dict[str, str] = {"anonymous": f"visitor-{number}"}
        profile = {"country": "DE", "role": "VP Operations", "employees": "400", "industry": "retail"}
        for place in range(random.randint(1, 4)):
            at_ms = BEGINS_MS + random.randrange(20_000)
            if random.random() < 0.6:
                identifiers = identifiers | {"email": f"lead{number}@firm{number % 2}.example"}
            line = {"id": f"{number}-{place}", "source": "seed", "occurred_at": iso(at_ms), "identifiers": identifiers}
            line |= {"kind": "engagement", "engagement": {"act": random.choice(_ACTS)}, "profile": profile}
            encoded = json.dumps(line).encode()
            lines.append((at_ms, encoded))
            if random.random() < 0.2:
                lines.append((at_ms + random.randrange(3_000), encoded))
    if random.random() < 0.3:
        lines.append((BEGINS_MS + random.randrange(20_000), b'{"kind": "rubbish"}'))
    return lines


def _send(host: MemoryHost, line: bytes, random: Random) -> None:
    host.log.append(INBOX, random.randrange(host.log.partitions_of(INBOX)), b"", line)


def _answers(run: Run) -> None:
    """What people do with the leads they were given since the last look."""
    history = run.host.log.history
    for stored in history[run.answered :]:
        if stored.topic.startswith("leads.routed.") and stored.value is not None:
            routed = codec_for(LeadRouted).decode(stored.value)
            run.waiting += [(stored.timestamp + deed.after_ms, deed.encoded) for deed in deeds(routed)]
    run.answered = len(history)


def _pass_time(run: Run, at_ms: int) -> None:
    """Let time pass, mostly as it should, sometimes in a jump that leaves timers to be late."""
    if run.random.random() < 0.2:
        run.host.log.now = max(run.host.log.now, at_ms)
        run.note("jump")
        return
    _undelay(run)
    run.host.advance(max(run.host.log.now, at_ms))


def _disturb(run: Run) -> None:
    for _ in range(run.random.randint(0, 12)):
        task = _somebody(run)
        act = run.random.choices(_FAULTS, weights=_WEIGHTS)[0]
        act(run, task)
    if run.random.random() < 0.7:
        _undelay(run)
        run.host.settle()


def _somebody(run: Run) -> MemoryTask:
    """Any task, but rather one that has something to do."""
    everybody = list(run.host.tasks.values())
    busy = [task for task in everybody if task.unread()]
    return run.random.choice(busy if busy and run.random.random() < 0.8 else everybody)


def _work(run: Run, task: MemoryTask) -> None:
    if task.unread():
        task.work(run.random.randint(1, 3))


def _crash(run: Run, task: MemoryTask) -> None:
    run.note("crash", task)
    task.crash()
    task.start()


def _raise_at(run: Run, task: MemoryTask, error: type[Exception], moment: Moment) -> None:
    def hook(at: Moment) -> None:
        if at is moment:
            task.hook = lambda _: None
            raise error

    task.hook = hook
    run.note(f"{error.__name__} at {moment}", task)


def _crash_midway(run: Run, task: MemoryTask) -> None:
    if not task.unread():
        return
    _raise_at(run, task, Crash, run.random.choice((Moment.FETCHED, Moment.SEALED, Moment.COMMITTED)))
    try:
        task.work()
    except Crash:
        task.crash()
        task.start()
    task.hook = lambda _: None


def _crash_restoring(run: Run, task: MemoryTask) -> None:
    _raise_at(run, task, Crash, Moment.RESTORING)
    task.crash()
    try:
        task.start()
    except Crash:
        task.start()
    task.hook = lambda _: None


def _abort(run: Run, task: MemoryTask) -> None:
    if task.unread():
        _raise_at(run, task, Aborted, Moment.SEALED)
        task.work()
        task.hook = lambda _: None


def _rebalance(run: Run, task: MemoryTask) -> None:
    """The partition gets another owner, and the former one, which does not know, tries to go on."""
    place = task.reducer.name, task.partition
    successor = MemoryTask(
        task.reducer,
        task.partition,
        run.host.log,
        run.host.book,
        topics=TOPICS,
        codecs=codec_for,
        limits=run.random.choice(_LIMITS),
    )
    successor.start()
    run.host.tasks[place] = successor
    run.note("rebalance", task)
    if task.unread():
        try:
            task.work()
        except Fenced:
            run.note("fenced", task)
        else:
            raise AssertionError(f"{place} committed beside its successor")


def _delay(run: Run, task: MemoryTask) -> None:
    topic = run.random.choice(task.reducer.inputs)
    task.sees[topic] = task.core.positions.get(topic, 0)
    run.note("delay", task)


def _undelay(run: Run) -> None:
    for task in run.host.tasks.values():
        task.sees.clear()


_Fault = Callable[[Run, MemoryTask], None]
_FAULTS: tuple[_Fault, ...] = (_work, _crash, _crash_midway, _crash_restoring, _abort, _rebalance, _delay)
_WEIGHTS = (40, 8, 12, 4, 10, 10, 8)
