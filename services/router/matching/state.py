"""What matching keeps of an account: what is known of it, whose customer it is, and the hand-offs
that are open at it."""

from dataclasses import dataclass

from baton.contracts.accounts import AccountScored
from baton.engine.reducer import EntryKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountState:
    """The head of an account (or of a lead without one). ``customer_of`` won it last; None: no
    customer of ours, as far as is known."""

    key: str
    scored: AccountScored | None = None
    customer_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHandoff:
    """An open hand-off at the account, by its id. ``pool`` is where its request went: all that
    follows goes there too."""

    lead_id: str
    pool: str
    kind: str
    since_ms: int
    accepted: bool = False


OPEN = EntryKind("open", OpenHandoff)
