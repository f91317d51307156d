"""A seeded scheduler over the whole flow in memory: the same seed, the same faults, the same log.

Between any two steps of any task it may crash the task, abort its transaction, hand its partition
to another owner while the former one goes on, keep a partition's news from it for a while, let time
jump, or send an event twice; in some seeds another agreement comes into force, people are away,
pools are small, merges are taken back, and what people do is reported late. What must hold afterwards is the audit's business.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from baton.agreement.canonical import canonical_text, version_of
from baton.agreement.model.condition import Op, Test
from baton.agreement.model.lifecycle import GateModel
from baton.agreement.reference import SIDES, AgreementBook
from baton.agreement.source.read import agreement_of, read_agreement
from baton.contracts.codec import codec_for
from baton.contracts.intake import IntakeRecord
from baton.contracts.partitioner import partition_of
from baton.contracts.reference_records import AgreementRecord, PeopleRecord
from baton.contracts.routing import LeadRouted
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE, INTAKE_KEYED
from baton.engine.batch import Limits
from baton.engine.memory import Aborted, Crash, Fenced, MemoryHost, MemoryTask, Moment
from baton.engine.reducer import Reducer
from baton.engine.store import Store
from baton.engine.task_config import TaskConfig
from baton.flow import all_reducers
from baton.intake.keyed_records import key_of, to_intake
from baton.intake.line_reading import LineRefused, read_line
from baton.intake.request import with_companions
from baton.local.demo.company import iso
from baton.local.demo.staff import deeds
from services.ingest.gateway.producer import headers_of
from tests.simulation.separations import separations

BEGINS_MS = 1_795_327_861_000
INBOX = "leads.inbox.v1"
PARTITIONS = 2
_AGREEMENT = Path(__file__).resolve().parents[2] / "examples" / "agreements" / "demo.yaml"
_ACTS = ("page_view", "pricing_view", "form", "webinar", "demo_request", "trial_started")
_ROLES = ("VP Operations", "VP Operations", "VP Operations", "Manager", "Student")
_COMMANDS: tuple[tuple[str, str | None, dict[str, str]], ...] = (
    ("claim", "sdr-ben", {}),
    ("claim", "ae-hugo", {}),
    ("pass_on", None, {"to_person": "ae-greta"}),
    ("assign", "mgr-ines", {"to_person": "sdr-cleo"}),
    ("assign", "mgr-ines", {"to_pool": "sales"}),
)
_CHANGES = (
    ("3: {enter: 19, exit: 12}", "3: {enter: 9, exit: 6}"),
    ("form: {points: 12,", "form: {points: 13,"),
    ("capacity: 400", "capacity: 1"),
)
_SMALL = (
    (
        "  sdr:\n    kind: sdr\n",
        (
            "  helpers: {kind: sdr, manager: mgr-ines, members: {ae-hugo: {capacity: 1}}}\n  sdr:\n    "
            "kind: sdr\n    nobody: {overflow: helpers}\n"
        ),
    ),
    (
        "    kind: sales\n    manager: mgr-ines\n    members:\n",
        "    kind: sales\n    manager: mgr-ines\n    nobody: {watch: mgr-ines}\n    members:\n",
    ),
    ("      sdr-anna: {weight: 2, capacity: 400}\n      sdr-ben: {weight: 1, capacity: 400}\n", ""),
    ("sdr-cleo: {weight: 1, capacity: 400}", "sdr-cleo: {weight: 1, capacity: 1}"),
    ("      ae-greta: {capacity: 400}", "      ae-greta: {capacity: 400, offers: 1}"),
    ("  ae-hugo: {name: Hugo (sales),", "  ae-hugo: {capacity: 2, offers: 1, name: Hugo (sales),"),
    ("slas:\n", "slas:\n  evidence_grace: {demo-crm: 10 seconds}\n"),
)
_UNEVEN = (
    ("sdr-anna: {weight: 2,", "sdr-anna: {weight: 5,"),
    (
        "      ae-greta: {capacity: 400}\n",
        "      ae-greta: {weight: 5, capacity: 400}\n      mgr-ines: {capacity: 400}\n",
    ),
)
_TEAMS = (("sdr-anna", "sdr-ben", "sdr-cleo"), ("ae-greta", "ae-hugo"))
_LIMITS = (Limits(), Limits(outputs=3, wakes=1))


def agreement() -> tuple[str, str]:
    """Canonical text and version of the demonstration's agreement."""
    text = canonical_text(read_agreement(_AGREEMENT))
    return text, version_of(text)


def agreement_that_asks_accounts() -> tuple[str, str]:
    """The same, where nobody is an MQL before a second person of the account is engaged: leads and
    accounts notify each other."""
    model = read_agreement(_AGREEMENT)
    gate = GateModel(when=Test(field="account.engaged_people", op=Op.AT_LEAST, value=2))
    text = canonical_text(
        model.model_copy(
            update={
                "lifecycle": model.lifecycle.model_copy(update={"gates": {"Two of them": gate}})
            }
        )
    )
    return text, version_of(text)


@cache
def another_agreement() -> tuple[str, str]:
    """The same with a lower threshold, more points for a form and less room: some leads are ready
    at once, and some must wait."""
    return _changed(_CHANGES)


@cache
def small_pools() -> tuple[str, str]:
    """The same, where SDRs hand on what is too much for them to another pool, and for sales
    somebody watches."""
    return _changed(_SMALL)


@cache
def uneven_pools() -> tuple[str, str]:
    """The same, where one of three has five times the weight of the others: at the fourth lead the
    smallest quotient is that of somebody who is not below their share."""
    return _changed(_UNEVEN)


def _changed(changes: tuple[tuple[str, str], ...]) -> tuple[str, str]:
    text = _AGREEMENT.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    canonical = canonical_text(agreement_of(text))
    return canonical, version_of(canonical)


OpenStore = Callable[[Reducer[Any, Any], int], Store]


@dataclass(slots=True)
class Run:
    """One seed. ``trace`` is what was done to whom, in order; ``faults`` counts by kind."""

    seed: int
    host: MemoryHost
    random: Random
    stores: Mapping[str, Any] = field(default_factory=dict)
    trace: list[str] = field(default_factory=list)
    faults: dict[str, int] = field(default_factory=dict)
    waiting: list[tuple[int, bytes]] = field(default_factory=list)
    agrees_at_ms: int | None = None
    answered: int = 0

    def note(self, what: str, task: MemoryTask | None = None) -> None:
        name = "" if task is None else f" {task.reducer.name}[{task.partition}]"
        self.trace.append(f"{self.host.log.now - BEGINS_MS}{name} {what}")
        self.faults[what] = self.faults.get(what, 0) + 1


def play(seed: int, text: str, version: str, open_store: OpenStore | None = None) -> Run:
    """Run the scenario of ``seed`` to its end, faults and all. ``open_store``: where the state of
    tasks lies, if not in memory."""
    random = Random(seed)
    stores = {} if open_store is None else {"open_store": open_store}
    host = MemoryHost(
        all_reducers(),
        AgreementBook(),
        TaskConfig(partitions=PARTITIONS, limits=random.choice(_LIMITS), **stores),
        start_ms=BEGINS_MS - 60_000,
    )
    small = random.random() < 0.25
    others = uneven_pools() if has_crowd(seed) else (text, version)
    _agree(host, *(small_pools() if small else others))
    for absence in _absences(random):
        host.send(BATON_PEOPLE, absence.record_id, absence)
    host.advance(BEGINS_MS)
    crowd = _crowd(seed)
    run = Run(seed=seed, host=host, random=random, waiting=_lines(random) + crowd, stores=stores)
    run.waiting += separations(seed, BEGINS_MS)
    if random.random() < 0.35:
        run.agrees_at_ms = BEGINS_MS + random.randrange(8_000)
    while run.waiting:
        run.waiting.sort(key=lambda item: item[0])
        at_ms, line = run.waiting.pop(0)
        if run.agrees_at_ms is not None and run.agrees_at_ms <= at_ms:
            run.agrees_at_ms = None
            _agree(host, *another_agreement())
            run.note("another agreement")
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
            BATON_AGREEMENTS,
            f"{version}:{side}",
            AgreementRecord(
                record_id=f"{version}:{side}", kind="approved", version=version, side=side
            ),
        )
    published = AgreementRecord(
        record_id=version,
        kind="published",
        version=version,
        effective_at_ms=host.log.now,
        text=text,
    )
    host.send(BATON_AGREEMENTS, version, published)


def _absences(random: Random) -> list[PeopleRecord]:
    """Now and then somebody is away, or a whole team; some come back sooner than they said."""
    if random.random() < 0.7:
        return []
    team = random.choice(_TEAMS)
    from_ms = BEGINS_MS + random.randrange(10_000)
    until_ms = from_ms + random.randrange(1_000, 20_000)
    away = team if random.random() < 0.6 else team[:1]
    reported = [
        PeopleRecord(record_id=f"off-{absence}", person=absence, from_ms=from_ms, until_ms=until_ms)
        for absence in away
    ]
    return reported + [
        replace(absence_record, cancelled=True)
        for absence_record in reported
        if random.random() < 0.15
    ]


def _lines(random: Random) -> list[tuple[int, bytes]]:
    lines = []
    for number in range(random.randint(1, 3)):
        identifiers: dict[str, str] = {"anonymous": f"visitor-{number}"}
        profile = {
            "country": "DE",
            "role": random.choice(_ROLES),
            "employees": "400",
            "industry": "retail",
        }
        if random.random() < 0.06:
            profile["relation"] = "competitor"
        for place in range(random.randint(1, 4)):
            at_ms = BEGINS_MS + random.randrange(20_000)
            if random.random() < 0.6:
                identifiers = identifiers | {"email": f"lead{number}@firm{number % 2}.example"}
            line = {
                "id": f"{number}-{place}",
                "source": "seed",
                "occurred_at": iso(at_ms),
                "identifiers": identifiers,
            }
            line |= {
                "kind": "engagement",
                "engagement": {"act": random.choice(_ACTS)},
                "profile": profile,
            }
            encoded = json.dumps(line).encode()
            lines.append((at_ms, encoded))
            if random.random() < 0.2:
                lines.append((at_ms + random.randrange(3_000), encoded))
            if random.random() < 0.06:
                lines.append((at_ms + random.randrange(-3_000, 9_000), _retracts(line, at_ms)))
        if random.random() < 0.2:
            lines.append(_changed_mind(random, number, profile))
        if random.random() < 0.25:
            lines += _two_become_one(random, number, profile)
        if random.random() < 0.22:
            lines.append(_last_word(random, number, identifiers))
    if random.random() < 0.3:
        lines.append((BEGINS_MS + random.randrange(20_000), b'{"kind": "rubbish"}'))
    return lines


def has_crowd(seed: int) -> bool:
    """Whether many ask at once in that seed."""
    return Random(f"crowd {seed}").random() < 0.08


def _crowd(seed: int) -> list[tuple[int, bytes]]:
    """Now and then many ask at once, each from a company of their own: turns, loads and limits. Some
    take it back, and whoever has the lead by then may have accepted it unheard."""
    random = Random(f"crowd {seed}")
    if random.random() >= 0.08:
        return []
    lines = []
    for number in range(random.randint(6, 9)):
        at_ms = BEGINS_MS + random.randrange(8_000)
        line: dict[str, Any] = {
            "kind": "engagement",
            "id": f"crowd-{number}",
            "source": "seed",
            "occurred_at": iso(at_ms),
            "identifiers": {"email": f"lead@crowd{number}.example"},
            "engagement": {"act": "demo_request"},
            "profile": {
                "country": "DE",
                "role": random.choice(("VP Operations", "Student")),
                "employees": "400",
                "industry": "retail",
            },
        }
        lines.append((at_ms, json.dumps(line).encode()))
        if random.random() < 0.3:
            lines.append((at_ms + random.randrange(3_000, 9_000), _retracts(line, at_ms)))
    return lines


def _changed_mind(random: Random, number: int, profile: dict[str, str]) -> tuple[int, bytes]:
    """One request: somebody asks for a demonstration, takes it back and asks again; now and then it
    is sent twice, or in another order."""
    at_ms = BEGINS_MS + random.randrange(20_000)
    base = {
        "source": "seed",
        "occurred_at": iso(at_ms),
        "identifiers": {"email": f"lead{number}@firm{number % 2}.example"},
    }
    asked = {"kind": "engagement", "engagement": {"act": "demo_request"}}
    lines: list[dict[str, Any]] = [
        base | {"id": f"m-{number}-0", "kind": "profile", "profile": profile},
        base | asked | {"id": f"m-{number}-1"},
        base | {"id": f"m-{number}-2", "kind": "retraction", "retracts": f"m-{number}-1"},
        base | asked | {"id": f"m-{number}-3"},
    ]
    lines += lines[1:] if random.random() < 0.3 else []
    if random.random() < 0.3:
        random.shuffle(lines)
    return at_ms, b"\n".join(json.dumps(line).encode() for line in lines)


def _two_become_one(
    random: Random, number: int, profile: dict[str, str]
) -> list[tuple[int, bytes]]:
    """Somebody known, and a visitor of the same firm who asks for a demonstration, turn out to be
    one: before or after anybody has taken the visitor up, and in one request with it now and
    then."""
    at_ms = BEGINS_MS + random.randrange(12_000)
    known, visitor = (
        {"email": f"joined{number}@firm{number % 2}.example"},
        {"anonymous": f"tablet-{number}"},
    )
    firm = profile | {"domain": f"firm{number % 2}.example"}
    asked = {
        "kind": "engagement",
        "engagement": {"act": random.choice(("demo_request", "pricing_view"))},
    }
    reported: list[dict[str, Any]] = [
        {
            "kind": "profile",
            "profile": firm,
            "person": {"first_name": "Ann", "phone": "+49 30 1234567"},
            "identifiers": known,
        },
        asked | {"identifiers": visitor, "profile": firm},
        {"kind": "link", "identifiers": known | visitor},
        asked | {"identifiers": visitor},
    ]
    gaps = (0, 0, 0, 0) if random.random() < 0.3 else (0, 0, random.randrange(6_000), 8_000)
    lines = []
    for place, (line, gap_ms) in enumerate(zip(reported, gaps, strict=True)):
        moment = at_ms + gap_ms
        line |= {"id": f"j-{number}-{place}", "source": "seed", "occurred_at": iso(moment)}
        lines.append((moment, json.dumps(line).encode()))
    return lines


def _retracts(line: dict[str, Any], at_ms: int) -> bytes:
    taken_back = {name: line[name] for name in ("source", "identifiers")}
    return json.dumps(
        taken_back
        | {
            "kind": "retraction",
            "id": f"r-{line['id']}",
            "occurred_at": iso(at_ms),
            "retracts": line["id"],
        }
    ).encode()


def _last_word(random: Random, number: int, identifiers: dict[str, str]) -> tuple[int, bytes]:
    """A refusal of consent, or the wish to be forgotten."""
    at_ms = BEGINS_MS + random.randrange(20_000)
    line: dict[str, Any] = {
        "id": f"w-{number}",
        "source": "seed",
        "occurred_at": iso(at_ms),
        "identifiers": identifiers,
    }
    if random.random() < 0.5:
        line |= {"kind": "erasure"}
    else:
        line |= {
            "kind": "consent",
            "consent": {"purpose": "sales", "granted": random.random() < 0.3},
        }
    return at_ms, json.dumps(line).encode()


def _commanded(routed: LeadRouted, random: Random) -> tuple[int, bytes] | None:
    """Now and then somebody wants a hand-off to be elsewhere."""
    if random.random() >= 0.12:
        return None
    kind, by, more = random.choice(_COMMANDS)
    command = {"kind": kind, "by": by or routed.owner, "handoff_id": routed.handoff_id} | more
    line = {
        "kind": "command",
        "id": f"{routed.handoff_id}-{kind}",
        "source": "seed-crm",
        "identifiers": {"lead": routed.lead_id},
    }
    line |= {"occurred_at": iso(routed.routed_at_ms), "command": command}
    return routed.routed_at_ms + random.randrange(3_000), json.dumps(line).encode()


def _said_of_deal(routed: LeadRouted) -> list[tuple[str, dict[str, Any]]]:
    """What is said of the deal after its end, drawn from the hand-off's id alone: that the amount
    was another, or that the win was none."""
    draw = int(routed.handoff_id[:4], 16) % 4
    deal = {"opportunity_id": "o-1", "deal_stage": "contract"}
    said: list[tuple[str, dict[str, Any]]] = [("deal", deal | {"amount_minor": 90_000})]
    if draw in (1, 2):
        said.append(("reopened", {"opportunity_id": "o-1"}))
    if draw == 2:
        said.append(("lost", {"opportunity_id": "o-1", "reason": "lost_other"}))
    return said if draw else []


def _sold(routed: LeadRouted, random: Random) -> list[tuple[int, bytes]]:
    """What sales goes on to, some days later: an opportunity, and how it ends."""
    if routed.leg != "sales" or random.random() >= 0.5:
        return []
    deal = {"opportunity_id": "o-1", "amount_minor": 120_000, "currency": "EUR"}
    acts = [
        ("opportunity", deal),
        ("won", deal) if random.random() < 0.5 else ("lost", {"reason": "lost_other"}),
        *_said_of_deal(routed),
    ]
    lines = []
    for number, (kind, more) in enumerate(acts):
        act = {
            "kind": kind,
            "by": routed.owner,
            "actor": routed.leg,
            "handoff_id": routed.handoff_id,
        } | more
        at_ms = routed.routed_at_ms + 10_000 + number * 1_000
        line = {
            "kind": "act",
            "id": f"{routed.handoff_id}-{kind}",
            "source": "seed-crm",
            "occurred_at": iso(at_ms),
        }
        lines.append(
            (
                at_ms,
                json.dumps(line | {"identifiers": {"lead": routed.lead_id}, "act": act}).encode(),
            )
        )
    return lines


def _send(host: MemoryHost, sent: bytes, random: Random) -> None:
    """Lines, one request: by HTTP, or one by one into the inbox. What is sent again may come by the
    other way."""
    lines = sent.split(b"\n")
    if random.random() < 0.4:
        _post(host, lines)
        return
    for line in lines:
        host.log.append(INBOX, random.randrange(host.log.partitions_of(INBOX)), b"", line)


def _post(host: MemoryHost, lines: list[bytes]) -> None:
    """What the gateway makes of a request; it refuses rubbish at once."""
    records = []
    for line in lines:
        with suppress(LineRefused):
            records.append(to_intake(read_line(line)))
    for record in with_companions(records):
        key = key_of(record).encode()
        at = partition_of(key, host.log.partitions_of(INTAKE_KEYED))
        host.log.append(
            INTAKE_KEYED, at, key, codec_for(IntakeRecord).encode(record), headers_of(record, None)
        )


def _answers(run: Run) -> None:
    """What people do with the leads they were given since the last look."""
    history = run.host.log.history
    for stored in history[run.answered :]:
        if stored.topic.startswith("leads.routed.") and stored.value is not None:
            routed = codec_for(LeadRouted).decode(stored.value)
            run.waiting += [
                (stored.timestamp + deed.after_ms + _late_ms(run.random), deed.encoded)
                for deed in deeds(routed)
            ]
            commanded = _commanded(routed, run.random)
            run.waiting += [*([] if commanded is None else [commanded]), *_sold(routed, run.random)]
    run.answered = len(history)


def _late_ms(random: Random) -> int:
    """By how much later than it was done something is reported."""
    return random.randrange(12_000) if random.random() < 0.15 else 0


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
    _raise_at(
        run, task, Crash, run.random.choice((Moment.FETCHED, Moment.SEALED, Moment.COMMITTED))
    )
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
        TaskConfig(partitions=PARTITIONS, limits=run.random.choice(_LIMITS), **run.stores),
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
    task.crash()


def _delay(run: Run, task: MemoryTask) -> None:
    topic = run.random.choice(task.reducer.inputs)
    task.sees[topic] = task.core.positions.get(topic, 0)
    run.note("delay", task)


def _undelay(run: Run) -> None:
    for task in run.host.tasks.values():
        task.sees.clear()


_Fault = Callable[[Run, MemoryTask], None]
_FAULTS: tuple[_Fault, ...] = (
    _work,
    _crash,
    _crash_midway,
    _crash_restoring,
    _abort,
    _rebalance,
    _delay,
)
_WEIGHTS = (40, 8, 12, 4, 10, 10, 8)
