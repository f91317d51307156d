"""Which agreement is in force when, and who is away: the reference topics, folded.

An agreement comes into force only when both sides have approved its version and it was published.
The first one ever in force holds for all time before it too; a later one from the latest of its
effective date and ten seconds after the last record it needed. Of two that are in force, the one
that came into force later holds; at the same moment, the one whose deciding record is later. An
absence counts from ten seconds after its record. One that is called off or put right counts, for
the time until that is known, as it had been announced: nobody was asked to work in it, so nobody is
late by it.
"""

from bisect import bisect_right, insort
from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from baton.agreement.absences import Absence, absences_known
from baton.agreement.books import ReceivedBooks
from baton.agreement.canonical import hashes_in, load_canonical, version_of
from baton.agreement.challengers import Challenge, ChallengerBook
from baton.agreement.compiled.agreement import AnyCalendar, CompiledAgreement, SlaRule
from baton.agreement.versions_in_force import Approval, InForce, Term, VersionRecords
from baton.contracts.reference_records import AgreementRecord, PeopleRecord
from baton.contracts.topic_names import BATON_AGREEMENTS, BATON_PEOPLE
from baton.derived_ids import derived_id
from baton.engine.reducer import Event

SETTLE_MS = 10_000
MAX_WAITED_MS = 366 * 86_400_000
SIDES = frozenset({"marketing", "sales"})
SINCE_EVER = -(1 << 62)
_FOR_EVER = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AgreementReference:
    """What holds at a moment: the agreement in force, and the absences known by then."""

    agreement: CompiledAgreement
    absences: tuple[Absence, ...] = ()
    edition: str = ""
    """Names the agreement and the absences: what whoever follows both lives under."""
    began_ms: int = 0
    """When the first agreement ever was published and approved (log time). It holds for all time
    before that too, but nobody owed anything then."""
    challenge: Challenge | None = None
    challenger: CompiledAgreement | None = None
    """Another scoring for a share of the accounts, and its agreement."""
    _by_person: Mapping[str, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def scoring_of(self, unit: str) -> CompiledAgreement:
        """By which agreement an account, or a lead without one, is scored."""
        if (
            self.challenge is not None
            and self.challenger is not None
            and self.challenge.takes(unit)
        ):
            return self.challenger
        return self.agreement

    @property
    def scoring_edition(self) -> str:
        """Names which leads are scored how."""
        return self.version if self.challenge is None else f"{self.version}+{self.challenge.name}"

    @property
    def version(self) -> str:
        """The version of the agreement in force."""
        return self.agreement.version

    def absent(self, person: str, at_ms: int) -> bool:
        """Whether the person is away at ``at_ms``."""
        return any(start <= at_ms < end for start, end in self._by_person.get(person, ()))

    def away(self, person: str) -> tuple[tuple[int, int], ...]:
        """The person's absences, half-open, sorted: for ``CompiledAgreement.calendar_for``.

        One of more than a year is left out: nobody's deadline waits for so long, whoever left for
        good included.
        """
        return tuple(
            span for span in self._by_person.get(person, ()) if span[1] - span[0] <= MAX_WAITED_MS
        )

    def hours_of(self, rule: SlaRule, *, person: str | None, pool: str | None) -> AnyCalendar:
        """The hours that a promise is counted in: the agreed calendar, less the absences of
        ``person`` where the promise waits for them."""
        away = self.away(person) if person and not rule.absence_counts else ()
        return self.agreement.calendar_for(person=person, pool=pool, rule=rule, absences=away)

    def back_at(self, person: str, at_ms: int) -> int:
        """``at_ms`` if the person is there, else the end of the absence."""
        for start, end in self._by_person.get(person, ()):
            if start <= at_ms < end:
                at_ms = end
        return at_ms

    def away_at(self, at_ms: int) -> frozenset[str]:
        """Everybody who is away at ``at_ms``."""
        return frozenset(person for person in self._by_person if self.absent(person, at_ms))

    def with_absences(self) -> Set[str]:
        """Everybody of whom an absence is known."""
        return self._by_person.keys()

    def leaves_at(self, person: str, at_ms: int) -> int | None:
        """When the person's next absence after ``at_ms`` begins, as far as is known."""
        return next((start for start, _ in self._by_person.get(person, ()) if start > at_ms), None)


def reference_of(
    agreement: CompiledAgreement, absences: tuple[Absence, ...] = (), *, began_ms: int = 0
) -> AgreementReference:
    """A reference for tests and simulations."""
    by_person: dict[str, list[tuple[int, int]]] = {}
    for absence in absences:
        by_person.setdefault(absence.person, []).append((absence.from_ms, absence.until_ms))
    news = derived_id(
        "absences",
        *(f"{absence.person} {absence.from_ms} {absence.until_ms}" for absence in absences),
    )
    return AgreementReference(
        agreement=agreement,
        absences=absences,
        edition=f"{agreement.version}+{news[:12]}",
        began_ms=began_ms,
        _by_person={who: tuple(sorted(spans)) for who, spans in by_person.items()},
    )


class AgreementBook:
    """Folds ``AgreementRecord`` and ``PeopleRecord`` in offset order per topic; a function of the
    records alone."""

    topics: tuple[str, ...] = (BATON_AGREEMENTS, BATON_PEOPLE)

    def __init__(self) -> None:
        self._versions: dict[str, VersionRecords] = {}
        self._in_force: list[InForce] = []
        self._books = ReceivedBooks()
        self._challengers = ChallengerBook()
        self._order = 0
        self._began_ms = 0
        self._people: list[tuple[int, int, PeopleRecord]] = []
        self._made: dict[tuple[str, int, str], AgreementReference] = {}
        self._held: tuple[int, int, AgreementReference | None] = (0, 0, None)

    def add(self, event: Event) -> None:
        """Take one more record of the reference topics."""
        self.take(event.value, event.at_ms)

    def take(self, record: object, at_ms: int) -> None:
        """Take one more record, appended at ``at_ms``."""
        match record:
            case AgreementRecord():
                self._take_agreement(record, at_ms)
            case PeopleRecord():
                self._take_people(record, at_ms)

    def at(self, now: int) -> AgreementReference | None:
        """What holds at ``now``; None as long as no agreement was ever both signed and
        published."""
        # asked for every record, and the answer is mostly the one before
        since_ms, until_ms, held = self._held
        if since_ms <= now < until_ms:
            return held
        made = self._made_for(now)
        self._held = (*self._unchanged_around(now), made)
        return made

    def _unchanged_around(self, now: int) -> tuple[int, int]:
        """From when until when (exclusive) the answer is the one for ``now``."""
        changes = sorted(
            [term.from_ms for term in self._in_force]
            + [person[0] for person in self._people]
            + self._challengers.changes()
        )
        index = bisect_right(changes, now)
        return changes[index - 1] if index else SINCE_EVER, changes[index] if index < len(
            changes
        ) else _FOR_EVER

    def _made_for(self, now: int) -> AgreementReference | None:
        entry = self._entry_at(now)
        if entry is None:
            return None
        known = bisect_right(self._people, now, key=lambda person: person[0])
        challenge = self._challengers.at(now)
        name = "" if challenge is None else challenge.name
        made = self._made.get((entry.version, known, name))
        if made is None:
            made = reference_of(
                self._loaded(entry.text),
                absences_known(self._people[:known]),
                began_ms=self._began_ms,
            )
            if challenge is not None:
                made = replace(made, challenge=challenge, challenger=self._loaded(challenge.text))
            self._made[entry.version, known, name] = made
        return made

    def _loaded(self, text: str) -> CompiledAgreement:
        return load_canonical(text, self._books.of(hashes_in(text)))

    def challenges(self) -> tuple[Challenge, ...]:
        """Every challenger there was or is to be, in order."""
        return self._challengers.all()

    def versions(self) -> Mapping[str, str]:
        """The canonical text of every version ever published, by version."""
        return {
            name: version.text
            for name, version in self._versions.items()
            if version.text is not None
        }

    def compiled(self, version: str) -> CompiledAgreement | None:
        """A version that was published, with its books; None: not, or some book is not whole."""
        text = self.versions().get(version)
        if text is None or not self._books.have(hashes_in(text)):
            return None
        return load_canonical(text, self._books.of(hashes_in(text)))

    def terms(self) -> tuple[Term, ...]:
        """Every version that came or will come into force, in order of time."""
        return tuple(Term(version=term.version, from_ms=term.from_ms) for term in self._in_force)

    def approvals(self, version: str) -> Mapping[str, Approval]:
        """Who signed ``version``, by side."""
        known = self._versions.get(version)
        return dict(known.approvals) if known else {}

    def _entry_at(self, now: int) -> InForce | None:
        index = bisect_right(self._in_force, now, key=lambda term: term.from_ms) - 1
        return self._in_force[index] if index >= 0 else None

    def _take_agreement(self, record: AgreementRecord, at_ms: int) -> None:
        if record.kind == "book":
            if self._books.take(record):
                for name, waiting in self._versions.items():
                    self._try_in_force(name, waiting, at_ms)
            return
        version = self._versions.setdefault(record.version, VersionRecords())
        if record.kind in ("challenger", "challenger_stopped"):
            if record.text is not None and version_of(record.text) == record.version:
                version.text = version.text or record.text
            if self._challengers.take(record, at_ms + SETTLE_MS, self._is_signed):
                self._forget()
            return
        if record.kind == "approved" and record.side in SIDES:
            version.approvals.setdefault(
                record.side, Approval(side=record.side, by=record.by, at_ms=at_ms)
            )
        elif (
            record.kind == "published"
            and record.text is not None
            and version_of(record.text) == record.version
        ):
            version.text = record.text
            version.published.append((at_ms, record.effective_at_ms or at_ms))
        else:
            return
        self._try_in_force(record.version, version, at_ms)
        if self._challengers.signed(at_ms + SETTLE_MS, self._is_signed):
            self._forget()

    def _is_signed(self, version: str) -> bool:
        known = self._versions.get(version)
        return known is not None and known.approvals.keys() == SIDES

    def _try_in_force(self, name: str, version: VersionRecords, at_ms: int) -> None:
        """Once the last record is there that the version needed, which was appended at
        ``at_ms``."""
        if version.text is None or version.approvals.keys() != SIDES:
            return
        if not self._books.have(hashes_in(version.text)):
            return
        if not self._in_force:
            self._began_ms = at_ms
        for _, effective in version.published:
            self._put_in_force(name, version.text, max(effective, at_ms + SETTLE_MS))
        version.published.clear()

    def _put_in_force(self, name: str, text: str, from_ms: int) -> None:
        self._order += 1
        first = not self._in_force
        insort(self._in_force, InForce(SINCE_EVER if first else from_ms, self._order, name, text))
        self._challengers.published(from_ms)
        self._forget()

    def _forget(self) -> None:
        self._made.clear()
        self._held = (0, 0, None)

    def _take_people(self, record: PeopleRecord, at_ms: int) -> None:
        self._order += 1
        insort(
            self._people, (at_ms + SETTLE_MS, self._order, record), key=lambda person: person[:2]
        )
        self._forget()
