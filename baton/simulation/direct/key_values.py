"""The state of one key, and of all keys of a task: a reducer's view, changed in place.

The keys that were touched lately are values; one that was not is packed into bytes, as the
changelog would have it, so memory is that of the leads and not of their Python objects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from baton.engine.changelog import fingerprint, pack_head, unpack_head, version_of
from baton.engine.key_state import Shape
from baton.engine.reducer import Reducer, Step
from baton.simulation.direct.entries import Entries, EntryView

AS_VALUES: Final = 4_096
"""So many keys a task touches before those are packed that it has not touched meanwhile."""


class KeyValues(EntryView):
    """A key whose head and entries are values: :class:`baton.engine.reducer.View`. ``spins``:
    consecutive wakes without any time passing."""

    __slots__ = (
        "_changed_by",
        "_revision",
        "_shape",
        "cause",
        "exists",
        "head",
        "key",
        "proven",
        "spins",
        "version",
        "wake_at",
    )

    def __init__(self, key: str, shape: Shape) -> None:
        super().__init__()
        self.key = key
        self.cause, self.proven, self.spins = "", True, 0
        self.head: Any = None
        self.exists = False
        self.version = ""
        self.wake_at: int | None = None
        self._shape = shape
        self._changed_by: str | None = None
        self._revision = 0

    @property
    def revision(self) -> int:
        """As :attr:`baton.engine.key_state.KeyState.revision`."""
        return self._revision if self._changed_by is None else fingerprint(self._changed_by)

    def apply(self, step: Step[Any], version: str, *, forced: bool) -> None:
        """As :meth:`baton.engine.key_state.KeyState.apply`."""
        if step.drop or step.put:
            self.edit(step)
        head, wake_at = step.head, step.wake_at
        exists = head is not None or self.has_entries()
        if not exists:
            wake_at = None
            if not self.exists:
                return
        elif self.exists and not forced and wake_at == self.wake_at and head is self.head:
            return
        self.head, self.exists = head, exists
        self.wake_at, self.version = wake_at, version
        self._changed_by = self.cause
        if not exists:
            self._changed_by, self._revision, self.version = None, 0, ""

    def decoder(self, kind: str) -> Callable[[bytes], Any]:
        """By the schema of the reducer's state."""
        decode: Callable[[bytes], Any] = self._shape.entries[kind].decode
        return decode

    # ------------------------------------------------------------------ bytes

    def packed(self) -> Packed:
        """The key in bytes."""
        prefix = pack_head(self.wake_at, self.revision, self.version.encode())
        for name, held in self._entries.items():
            held.pack(self._shape.entries[name].encode)
        head = prefix if self.head is None else self._shape.head.encode(self.head, prefix)  # type: ignore[union-attr]
        return Packed(head, {name: held for name, held in self._entries.items() if held.items})

    @classmethod
    def unpacked(cls, key: str, packed: Packed, shape: Shape) -> KeyValues:
        """The key as values again."""
        found = cls(key, shape)
        raw = packed.head
        found.wake_at, found._revision, found.version, start = unpack_head(raw)
        if start < len(raw):
            found.head = shape.head.decode(raw, start)  # type: ignore[union-attr]
        found.exists = True
        found._entries = packed.entries
        return found


class Packed(NamedTuple):
    """A key in bytes: a head as in the changelog, and its entries by kind."""

    head: bytes
    entries: dict[str, Entries]


class KeyStates:
    """Every key of a task, in three ages: touched lately, touched before that, packed."""

    __slots__ = ("_before", "_lately", "_packed", "_shape", "stateless")

    def __init__(self, reducer: Reducer[Any, Any], codecs: Callable[[type], Any]) -> None:
        self._shape = Shape(reducer, codecs)
        self.stateless = self._shape.stateless
        self._lately: dict[str, KeyValues] = {}
        self._before: dict[str, KeyValues] = {}
        self._packed: dict[str, Packed] = {}

    def touch(self, key: str) -> KeyValues:
        """The state of ``key``, which has none if it was never kept."""
        found = self._lately.get(key)
        if found is not None:
            return found
        if self.stateless:
            return KeyValues(key, self._shape)
        found = self._before.pop(key, None)
        if found is None:
            packed = self._packed.pop(key, None)
            if packed is None:
                return KeyValues(key, self._shape)
            found = KeyValues.unpacked(key, packed, self._shape)
        self._keep(found)
        return found

    def settle(self, state: KeyValues) -> None:
        """Keep the state that a step has left, or forget the key that has none any more."""
        if state.exists:
            if state.key not in self._lately:
                self._keep(state)
        else:
            self._lately.pop(state.key, None)

    def keys(self) -> Iterator[str]:
        """Every key that has a state."""
        yield from self._lately
        yield from self._before
        yield from self._packed

    def version_of(self, key: str) -> str | None:
        """The agreement under which the key lives; None for a key without a state."""
        values = self._lately.get(key) or self._before.get(key)
        if values is not None:
            return values.version
        packed = self._packed.get(key)
        return None if packed is None else version_of(packed.head)

    @property
    def values(self) -> int:
        """How many keys are values."""
        return len(self._lately) + len(self._before)

    def _keep(self, state: KeyValues) -> None:
        self._lately[state.key] = state
        if len(self._lately) >= AS_VALUES:
            self._packed.update({key: held.packed() for key, held in self._before.items()})
            self._before, self._lately = self._lately, {}
