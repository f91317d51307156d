"""What a trial of an agreement found, in words and tables, as part of a command's JSON:
``baton board trial`` puts it beside the agreement's versions."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from baton.agreement.publish import wall_ms
from baton.backtest.full_load_tables import Table


def trial_document(
    kind: str,
    version: str,
    lines: Iterable[str],
    *,
    warnings: Sequence[str] = (),
    tables: Sequence[Table] = (),
) -> dict[str, Any]:
    """The trial of ``version``. ``lines``: the first is its title."""
    title, *facts = [line for line in lines if line]
    return {
        "kind": kind,
        "version": version,
        "made_ms": wall_ms(),
        "title": title,
        "facts": facts,
        "warnings": list(warnings),
        "tables": [asdict(table) for table in tables],
    }
