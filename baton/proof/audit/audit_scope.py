"""What an audit looks at, and what it knows beforehand."""

from dataclasses import dataclass

from baton.agreement.reference import AgreementBook
from baton.proof.audit.presence import Absences


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Looked at is what was appended from ``since_ms`` on; ``until_ms`` is the log's end, and what
    is younger than ``grace_ms`` then may be on its way. ``rebuilt``: the topics whose facts were
    computed again."""

    since_ms: int
    grace_ms: int
    until_ms: int
    rebuilt: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The reference topics."""

    book: AgreementBook
    absences: Absences
