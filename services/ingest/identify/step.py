"""The step of ``identify`` under construction: marks and ids remembered within bounds, messages to
other identities."""

from __future__ import annotations

from typing import Any

from baton.contracts.intake import AliasKind, IdentityAlias
from baton.contracts.topic_names import INTAKE_ALIASES
from baton.engine.reducer import EntryKind, Step, View
from baton.engine.step_builder import StepBuilder
from baton.evolve import evolve
from services.ingest.identify.state import CONFLICT, SEEN, Identity, IdentityMark

KEPT_MS = 45 * 86_400_000
MAX_SEEN = 2_000
MAX_MARKS = 1_000


class IdentifyStep(StepBuilder[Identity]):
    """Collects the outcome for one key. ``head`` is the state as it will be. ``own_act``: whether
    what is taken is an act of the person's own, or comes of one."""

    def __init__(
        self,
        view: View[Identity],
        now: int,
        cause_id: str,
        occurred_at_ms: int,
        *,
        own_act: bool = False,
    ) -> None:
        super().__init__(view, now=now)
        self.own_act = own_act
        self.cause_id = cause_id
        self.occurred_at_ms = occurred_at_ms
        self.head = view.head
        self.wake_at = view.wake_at

    @property
    def lead_id(self) -> str:
        """The lead this identity belongs to; only to be asked where there is one."""
        assert self.head is not None
        assert self.head.lead_id is not None
        return self.head.lead_id

    def mark(self, kind: EntryKind[Any], item: str) -> bool:
        """Remember ``item``, within the bound; False if it was marked before."""
        if self.view.get(kind, item) is not None:
            return False
        if self.view.count(kind) < MAX_MARKS:
            self.store(kind, item, IdentityMark(at_ms=self.now))
        return True

    def marked(self, kind: EntryKind[Any]) -> list[str]:
        """All marked items, those of this step too."""
        return [item for item, _ in self.items(kind, limit=MAX_MARKS)]

    def forget(self, kind: EntryKind[Any], limit: int = MAX_MARKS) -> None:
        """Drop all entries of a kind."""
        for item, _ in self.view.scan(kind, limit=limit):
            self.drop(kind, item)

    def see(self, event_id: str) -> bool:
        """Remember the event; False if it was taken here before. Bounded by age and count, the
        oldest go first."""
        if self.view.get(SEEN, event_id) is not None:
            return False
        if self.view.count(SEEN) >= MAX_SEEN:
            self._drop_oldest(MAX_SEEN // 2)
        self.store(SEEN, event_id, IdentityMark(at_ms=self.now))
        self.wake_at = self.wake_at if self.wake_at is not None else self.now + KEPT_MS
        return True

    def forget_old_events(self) -> None:
        """Drop what was seen longer ago than it is kept; ask to be woken for the rest."""
        seen = self.view.scan(SEEN, limit=MAX_SEEN)
        for item in (item for item, mark in seen if mark.at_ms <= self.now - KEPT_MS):
            self.drop(SEEN, item)
        left = [mark.at_ms for _, mark in seen if mark.at_ms > self.now - KEPT_MS]
        # At most once a day, so that a busy key is not woken for each of its events.
        self.wake_at = max(min(left) + KEPT_MS, self.now + 86_400_000) if left else None

    def group_message(self, identity: str, kind: AliasKind) -> IdentityAlias:
        """A message to another identity in the name of this one's group."""
        assert self.head is not None
        root = self.head
        return IdentityAlias(
            identity=identity,
            lead_id=root.lead_id or "",
            kind=kind.value,
            known=root.known,
            cause_id=self.cause_id,
            from_identity=root.root,
            occurred_at_ms=self.occurred_at_ms,
            since_ms=root.since_ms,
            own_act=self.own_act,
        )

    def send_as_group(self, identity: str, kind: AliasKind, **more: Any) -> None:
        """Send another identity a message in the name of this one's group."""
        self.send_message(evolve(self.group_message(identity, kind), **more))

    def send(self, identity: str, kind: AliasKind, lead_id: str, **more: Any) -> None:
        """Send another identity (or the log, in a report) a message about this very one."""
        self.send_message(
            IdentityAlias(
                identity=identity,
                lead_id=lead_id,
                kind=kind.value,
                known=self.head.known if self.head else False,
                cause_id=self.cause_id,
                from_identity=self.key,
                occurred_at_ms=self.occurred_at_ms,
                own_act=self.own_act,
                **more,
            )
        )

    def send_message(self, message: IdentityAlias) -> None:
        """Send a message as it is."""
        self.publish(INTAKE_ALIASES, message, message.identity)

    def pass_on(self, message: IdentityAlias, to: str) -> None:
        """Hand a message on, as it is."""
        self.send_message(evolve(message, identity=to))

    def conflict(self, other: str, lead_id: str) -> None:
        """Report, once a pair, that two known people were said to be one."""
        if self.mark(CONFLICT, other):
            self._send_report(AliasKind.CONFLICT, lead_id, subject=other)

    def report(self, kind: AliasKind) -> None:
        """Write down what became of the event or of this key."""
        self._send_report(kind, (self.head.lead_id if self.head else None) or "")

    def finish(self) -> Step[Identity]:
        """The outcome."""
        return self.build(self.head, self.wake_at)

    def _send_report(self, kind: AliasKind, lead_id: str, **more: Any) -> None:
        self.send(self.key, kind, lead_id, **more)

    def _drop_oldest(self, count: int) -> None:
        seen = sorted(
            self.view.scan(SEEN, limit=MAX_SEEN), key=lambda entry: (entry[1].at_ms, entry[0])
        )
        for item, _ in seen[:count]:
            self.drop(SEEN, item)
