"""What both CRMs have in common: read, decide, note, write, note.

A delivery says only which lead changed; what is written is read from the view when it is sent. The
CRM is read first, so that what a person set there stays. Between reading and writing a person may
still come: Salesforce can be asked to refuse then (412), HubSpot cannot.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Protocol

import httpx

from baton.derived_ids import derived_id
from services.delivery.answers.inbox import Inbox, NotTaken
from services.delivery.crm.deciding import Decision, decide, wanted
from services.delivery.crm.oauth_tokens import TokenDead
from services.delivery.crm.write_ledger import Ledger
from services.delivery.handoffs import HandoffNow
from services.delivery.store.lead_view import handoffs_of, lead_of
from services.delivery.store.outbox import Delivery
from services.delivery.store.outbox_store import FILE, reader
from services.delivery.webhooks.schedule import Outcome
from services.delivery.webhooks.webhook_carrier import retry_after_ms

_MINUTE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record of the CRM: its id, its values, and when it was changed last, if it says so."""

    object_id: str
    values: Mapping[str, str | None]
    changed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What to write for one lead. ``key``: by which the CRM finds it; ``found`` None: it has
    none."""

    lead_id: str
    key: str
    values: Mapping[str, str]
    found: Found | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of one write; ``error``: the CRM's word for why not. ``again``: soon, since
    somebody changed the record meanwhile or it is locked."""

    object_id: str | None = None
    error: str | None = None
    again: bool = False


class Refused(Exception):
    """The CRM refused a whole call."""

    def __init__(self, answer: httpx.Response, words: str, *, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status or answer.status_code
        asked = answer.headers.get("retry-after", "")
        self.retry_after_ms = retry_after_ms(asked, datetime.now(UTC)) if asked else None


class Crm(Protocol):
    """One CRM: two calls and a check. Both calls raise :class:`Refused`, :class:`TokenDead` and
    httpx's errors."""

    key: str

    async def read(self, keys: Sequence[str], properties: Sequence[str]) -> Mapping[str, Found]:
        """The records there are, by key."""

    async def write(self, writes: Sequence[Write]) -> list[Written]:
        """In order."""

    async def check(self) -> tuple[bool, str]:
        """Whether the token is alive."""

    async def close(self) -> None:
        """Leave the connections."""


class CrmCarrier:
    """Carries changes of leads to one CRM."""

    parallel = 1
    notes_begin = False

    def __init__(
        self,
        name: str,
        target: Any,
        crm: Crm,
        place: tuple[Path, str],
        inbox: Inbox,
        *,
        batch: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.batch = batch
        self._name, self._target, self._crm, self._inbox = name, target, crm, inbox
        self._folder = place[0]
        self._ledger = Ledger(name, *place)
        self._clock = clock
        self._written_at: list[float] = []

    async def check(self) -> tuple[bool, str]:
        """Whether the CRM lets us in."""
        try:
            return await self._crm.check()
        except (Refused, TokenDead, httpx.HTTPError) as error:
            return False, str(error) or type(error).__name__

    async def close(self) -> None:
        """Leave the connections."""
        await self._crm.close()

    async def carry(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """The leads of the deliveries, as they are now, in one batch."""
        try:
            found = await self._carry(deliveries)
        except TokenDead as error:
            found = dict.fromkeys(_leads(deliveries), _refusal(str(error), 410, None))
        except Refused as error:
            outcome = _refusal(str(error), error.status, error.retry_after_ms)
            found = dict.fromkeys(_leads(deliveries), outcome)
        except httpx.HTTPError as error:
            words = f"no answer from the CRM ({type(error).__name__})"
            found = dict.fromkeys(_leads(deliveries), Outcome(ok=False, words=words))
        return [found[delivery.lead_id or ""] for delivery in deliveries]

    async def _carry(self, deliveries: Sequence[Delivery]) -> dict[str, Outcome]:
        outcomes: dict[str, Outcome] = {}
        keyed: dict[str, tuple[str, dict[str, tuple[str, str]], list[HandoffNow]]] = {}
        db = reader(self._folder / FILE)
        try:
            for lead_id in _leads(deliveries):
                lead = lead_of(db, lead_id)
                key = self._key_of(lead)
                if lead is None or key is None or lead["survivor"] or lead["forgotten"]:
                    outcomes[lead_id] = Outcome(ok=True, words="nothing to find it by")
                elif key in keyed:
                    # a key twice in one call would have the whole call refused
                    outcomes[lead_id] = self._later()
                else:
                    handoffs = handoffs_of(db, lead_id)
                    keyed[key] = (lead_id, wanted(self._target, lead, handoffs), handoffs)
            own = {lead_id: self._ledger.of(db, lead_id) for lead_id, _, _ in keyed.values()}
        finally:
            db.close()
        if not keyed:
            return outcomes
        current = await self._crm.read(list(keyed), list(self._target.write.values()))
        writes, confirmed = [], {}
        for key, (lead_id, fields, handoffs) in keyed.items():
            found = current.get(key)
            decision = decide(fields, found.values if found else {}, own[lead_id])
            outcomes[lead_id] = self._before(decision, found)
            if found is not None and decision.confirmed:
                confirmed[lead_id] = found.object_id, decision.confirmed
            await asyncio.to_thread(self._command, decision, handoffs)
            if decision.write and (found is not None or self._target.create):
                write = Write(lead_id=lead_id, key=key, values=decision.write, found=found)
                writes.append(write)
        if confirmed:
            await asyncio.to_thread(self._ledger.note_done, confirmed)
        return outcomes | await self._write(writes)

    def _key_of(self, lead: Mapping[str, Any] | None) -> str | None:
        if lead is None:
            return None
        if self._crm.key.lower() != "email":
            return str(lead["lead_id"])
        person = json.loads(lead["person"]) if lead["person"] else {}
        return str(person["email"]).lower() if person.get("email") else None

    def _before(self, decision: Decision, found: Found | None) -> Outcome:
        """The outcome where nothing is written."""
        if found is None and not self._target.create:
            return Outcome(ok=True, words="the CRM has no such record")
        kept = f"kept what people set: {', '.join(decision.kept)}" if decision.kept else ""
        return Outcome(ok=True, words=kept or "as it is already")

    async def _write(self, writes: list[Write]) -> dict[str, Outcome]:
        if self._target.dry_run:
            return {
                write.lead_id: Outcome(
                    ok=True, words=f"dry run: would write {', '.join(sorted(write.values))}"
                )
                for write in writes
            }
        allowed, late = self._within_the_cap(writes)
        outcomes = {write.lead_id: self._later() for write in late}
        if not allowed:
            return outcomes
        values = {
            write.lead_id: (write.found.object_id if write.found else None, write.values)
            for write in allowed
        }
        await asyncio.to_thread(self._ledger.note_pending, values, int(self._clock() * 1000))
        written = await self._crm.write(allowed)
        done = {}
        for write, result in zip(allowed, written, strict=True):
            outcomes[write.lead_id] = self._outcome(write, result)
            if result.error is None:
                done[write.lead_id] = (result.object_id, write.values)
        await asyncio.to_thread(self._ledger.note_done, done)
        return outcomes

    def _outcome(self, write: Write, result: Written) -> Outcome:
        if result.error is None:
            return Outcome(ok=True, words=f"wrote {', '.join(sorted(write.values))}")
        if result.again:
            return self._later()
        return Outcome(ok=False, words=f"the CRM says {result.error}", final=True)

    def _within_the_cap(self, writes: list[Write]) -> tuple[list[Write], list[Write]]:
        now = self._clock()
        self._written_at = [at for at in self._written_at if at > now - _MINUTE_S]
        free = max(self._target.per_minute - len(self._written_at), 0)
        self._written_at += [now] * min(free, len(writes))
        return writes[:free], writes[free:]

    def _later(self) -> Outcome:
        return Outcome(ok=False, words="", held_until_ms=int(self._clock() * 1000) + 2_000)

    def _command(self, decision: Decision, handoffs: list[HandoffNow]) -> None:
        """A person made somebody else the owner: a command here, once for each such change."""
        persons = {user: person for person, user in self._target.people.items()}
        person = persons.get(decision.owner_changed or "")
        if person is None or not handoffs or self._target.commands_by is None:
            return
        line = owner_command(
            self._name, handoffs[-1], person, self._target.commands_by, self._clock()
        )
        try:
            self._inbox.send(line)
        except NotTaken:
            return  # the next delivery of the lead, or the CRM's own webhook, says it again


def owner_command(
    target: str, handoff: HandoffNow, person: str, by: str, now_s: float
) -> dict[str, Any]:
    """A change of owner in the CRM as a command; the same change has the same id however it was
    noticed."""
    command = {"kind": "assign", "by": by, "handoff_id": handoff.handoff_id, "to_person": person}
    return {
        "id": derived_id("crm-owner", target, handoff.handoff_id, person),
        "source": target,
        "occurred_at": datetime.fromtimestamp(now_s, UTC).isoformat(timespec="milliseconds"),
        "identifiers": {"lead": handoff.lead_id},
        "kind": "command",
        "command": command,
    }


def _leads(deliveries: Sequence[Delivery]) -> list[str]:
    return list(dict.fromkeys(delivery.lead_id or "" for delivery in deliveries))


def _refusal(words: str, status: int, retry_after: int | None) -> Outcome:
    return Outcome(ok=False, words=words, status=status, retry_after_ms=retry_after)
