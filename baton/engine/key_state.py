"""One key while a batch is open: the stored state with the changes of the batch on top. It is the
view that the reducer sees.

Values are decoded when they are first asked for and encoded when the batch is sealed, so a key that
is touched a hundred times in a batch costs one of each. The store is read, never written, before
:meth:`KeyState.commit`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from baton.engine.changelog import entry_key, fingerprint, head_key, pack_head, unpack_head
from baton.engine.reducer import EntryKind, Reducer, Step
from baton.engine.store import Store

T = TypeVar("T")

_UNREAD: Any = object()


class Shape:
    """The codecs of a reducer's state: of its head, and of every kind of entry."""

    __slots__ = ("entries", "head", "stateless")

    def __init__(self, reducer: Reducer[Any, Any], codecs: Callable[[type], Any]) -> None:
        self.head = None if reducer.head_type is None else codecs(reducer.head_type)
        self.entries: Mapping[str, Any] = {
            kind.name: codecs(kind.type) for kind in reducer.entry_kinds
        }
        self.stateless = self.head is None and not self.entries


class KeyState:
    """One key in the open batch. ``place``: what touched the key last. ``spins``: consecutive wakes
    without any time passing. ``gauged``: whether the key now has a part in the reducer's gauge;
    None: as before."""

    __slots__ = (
        "_changed_by",
        "_counts",
        "_edits",
        "_head",
        "_raw",
        "_read",
        "_revision",
        "_shape",
        "_start",
        "_store",
        "_writes",
        "base_wake",
        "cause",
        "dirty",
        "exists",
        "gauged",
        "key",
        "place",
        "proven",
        "spins",
        "version",
        "wake_at",
    )

    def __init__(self, key: str, store: Store, shape: Shape) -> None:
        self.key = key
        self.cause = ""
        self.proven = True
        self.place: str | tuple[str, int] = ""
        self.spins = 0
        self.gauged: bool | None = None
        self._changed_by: str | None = None
        self.dirty = False
        self._store = store
        self._shape = shape
        self._edits: dict[str, dict[str, Any]] = {}
        self._read: dict[tuple[str, str], Any] = {}
        self._counts: dict[str, int] = {}
        self._writes: list[tuple[str | None, str, bytes | None]] = []
        raw = store.head(key)
        self._raw = raw
        self.exists = raw is not None
        if raw is None:
            self._head: Any = None
            self.wake_at: int | None = None
            self._revision = 0
            self.version = ""
        else:
            self._head = _UNREAD
            self.wake_at, self._revision, self.version, self._start = unpack_head(raw)
        self.base_wake = self.wake_at

    @property
    def revision(self) -> int:
        """A fingerprint of what last changed the key. Unlike a count, it does not repeat after the
        key was removed and made again, and it does not depend on batch boundaries."""
        return self._revision if self._changed_by is None else fingerprint(self._changed_by)

    # ------------------------------------------------------------------ what the reducer sees

    @property
    def head(self) -> Any:
        """The decoded head, or None."""
        if self._head is _UNREAD:
            assert self._raw is not None
            raw, start = self._raw, self._start
            self._head = self._shape.head.decode(raw, start) if start < len(raw) else None  # type: ignore[union-attr]
        return self._head

    def get(self, kind: EntryKind[T], item: str) -> T | None:
        """See :class:`baton.engine.reducer.View`."""
        edits = self._edits.get(kind.name)
        if edits is not None and item in edits:
            value: T | None = edits[item]
            return value
        raw = self._store.entry(kind.name, self.key, item)
        return None if raw is None else self._decoded(kind.name, item, raw)

    def scan(
        self,
        kind: EntryKind[T],
        *,
        first: str = "",
        below: str | None = None,
        limit: int,
        reverse: bool = False,
    ) -> Sequence[tuple[str, T]]:
        """See :class:`baton.engine.reducer.View`."""
        name = kind.name
        edits = {
            item: value
            for item, value in self._edits.get(name, {}).items()
            if item >= first and (below is None or item < below)
        }
        # Each edit can hide at most one stored entry, so this many more are enough.
        stored = self._store.scan(name, self.key, first, below, limit + len(edits), reverse)
        if not edits:
            return [(item, self._decoded(name, item, raw)) for item, raw in stored]
        items = {item: raw for item, raw in stored if item not in edits}
        merged = sorted(
            [*items, *(item for item, value in edits.items() if value is not None)], reverse=reverse
        )
        return [
            (item, edits[item] if item in edits else self._decoded(name, item, items[item]))
            for item in merged[:limit]
        ]

    def count(self, kind: EntryKind[Any]) -> int:
        """See :class:`baton.engine.reducer.View`."""
        return self._count(kind.name)

    def _count(self, name: str) -> int:
        if name not in self._counts:
            self._counts[name] = self._store.count(name, self.key)
        return self._counts[name]

    def _decoded(self, name: str, item: str, raw: bytes) -> Any:
        if (name, item) not in self._read:
            self._read[name, item] = self._shape.entries[name].decode(raw)
        return self._read[name, item]

    # ------------------------------------------------------------------ what a step changes

    def apply(self, step: Step[Any], version: str, *, forced: bool = False) -> None:
        """Apply what a step changes in the state. Drops come before puts. ``forced``: write the
        head even if the step left it unchanged (after a wake or an adoption, which must not run
        again)."""
        for drop in step.drop:
            self._edit(drop.kind.name, drop.item, None)
        for put in step.put:
            self._edit(put.kind.name, put.item, put.value)
        head, wake_at = step.head, step.wake_at
        exists = head is not None or any(self._count(name) for name in self._shape.entries)
        if not exists:
            wake_at = None
            if not self.exists:
                return
        elif (
            self.exists
            and not forced
            and wake_at == self.wake_at
            and (head is self._head or head is self.head)
        ):
            return
        self._head = head
        self.exists = exists
        self.wake_at = wake_at
        self.version = version
        self._changed_by = self.cause
        self.dirty = True

    def skip(self, version: str, place: str) -> None:
        """Skip a wake or an adoption: remove the timer or the older version, and change nothing
        else."""
        self.wake_at = None if version == self.version else self.wake_at
        self.version = version
        self._changed_by = place
        self.dirty = True

    def _edit(self, name: str, item: str, value: Any) -> None:
        edits = self._edits.setdefault(name, {})
        if name not in self._shape.entries:
            raise LookupError(f"entry kind {name} is not declared in entry_kinds")
        here = (
            edits[item] is not None
            if item in edits
            else self._store.entry(name, self.key, item) is not None
        )
        self._counts[name] = self._count(name) + (value is not None) - here
        edits[item] = value

    # ------------------------------------------------------------------ closing the batch

    def seal(self) -> list[tuple[bytes, bytes | None]]:
        """The changelog records of what changed."""
        records = list(self._sealed_entries()) if self._edits else []
        if self.dirty:
            if self.exists:
                records.append((head_key(self.key), self._encoded_head()))
            elif self._raw is not None:
                self._writes.append((None, "", None))
                records.append((head_key(self.key), None))
        return records

    def _sealed_entries(self) -> Iterator[tuple[bytes, bytes | None]]:
        for name, edits in self._edits.items():
            encode = self._shape.entries[name].encode
            for item in sorted(edits):
                value = edits[item]
                if value is None and self._store.entry(name, self.key, item) is None:
                    continue
                raw = None if value is None else encode(value)
                self._writes.append((name, item, raw))
                yield entry_key(name, self.key, item), raw

    def _encoded_head(self) -> bytes:
        prefix = pack_head(self.wake_at, self.revision, self.version.encode())
        if self._head is _UNREAD:
            assert self._raw is not None
            raw = prefix + self._raw[self._start :]
        else:
            raw = prefix if self._head is None else self._shape.head.encode(self._head, prefix)  # type: ignore[union-attr]
        self._writes.append((None, "", raw))
        return raw

    def commit(self) -> None:
        """Write what was sealed into the store."""
        for name, item, raw in self._writes:
            if name is None:
                self._store.set_head(self.key, raw)
            else:
                self._store.set_entry(name, self.key, item, raw)
