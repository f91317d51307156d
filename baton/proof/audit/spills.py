"""What an audit sorts what it read into: a spill for each thing that is checked by itself."""

from pathlib import Path
from types import TracebackType

from baton.proof.audit.fact_matching import COMPACTED, Row
from baton.proof.audit.spill import Spill


class Spills:
    """By event, fact, lead and so on. ``writer``: see :class:`~baton.proof.audit.spill.Spill`."""

    def __init__(self, folder: Path, *, buckets: int, writer: int = 0, writers: int = 1) -> None:
        def spill(name: str) -> Spill:
            return Spill(folder, name, buckets, writer=writer, writers=writers)

        self.folder, self.buckets, self.writers = folder, buckets, writers
        self.events, self.facts, self.leads = spill("events"), spill("facts"), spill("leads")
        self.pools, self.identities = spill("pools"), spill("identities")
        self.accounts, self.goals, self.people = spill("accounts"), spill("goals"), spill("people")
        self._all = (
            self.events,
            self.facts,
            self.leads,
            self.pools,
            self.identities,
            self.accounts,
            self.goals,
            self.people,
        )

    def __enter__(self) -> "Spills":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for spill in self._all:
            spill.close()

    def flush(self) -> None:
        """Give the other processes everything to read."""
        for spill in self._all:
            spill.flush()

    def add_fact(self, fact_id: str, key: bytes, row: Row) -> None:
        """What is known of a fact goes by its id; in a compacted topic by its key there."""
        if row[1] in COMPACTED:
            self.facts.add(f"{row[1]}/{key.decode('utf-8', 'replace')}", (*row, fact_id))
        else:
            self.facts.add(fact_id, row)
