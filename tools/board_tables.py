"""Write docs/TABLES.md, the tables of the board that can be exported, column by column; or only
check it (``--check``)."""

import sys
from pathlib import Path

from services.insights.exporting import EXPORTABLE, since_column
from services.insights.facts.table import TEXT, Column, Table
from services.insights.facts.tables import TABLES

TABLES_MD = Path(__file__).resolve().parents[1] / "docs" / "TABLES.md"
_HEAD = """# Tables of the board

What `baton export` writes ([how](BOARD.md#exports)), made from the code by `make readme`.

* A *moment* is milliseconds since 1970 in UTC; in Parquet a timestamp in UTC. A *number* is
  whole; money is in minor units.
* A column with *may be empty* is null in Parquet and empty in CSV. Leads are ids; names are in no
  table.
* `--since` takes rows by the column that is named: add them to yours by the key. Of a table whose
  rows change and go, replace the whole.
"""


def text() -> str:
    """The whole page."""
    tables = [TABLES[name] for name in sorted(EXPORTABLE)]
    contents = ", ".join(f"[`{table.name}`](#{table.name})" for table in tables)
    return "\n".join((_HEAD, contents, *(_section(table) for table in tables)))


def _section(table: Table) -> str:
    since = since_column(table)
    rows = [
        f"| `{column.name}` | {_type(column)} | {column.says.removesuffix(', ms')} |"
        for column in table.columns
    ]
    about = f"Key: {', '.join(f'`{name}`' for name in table.key)}."
    if since:
        about += f" `--since` looks at `{since}`."
    if table.derived or table.sums:
        about += " Rows change and go."
    said = f"{table.says[0].upper()}{table.says[1:]}."
    head = ("| column | type | what it says |", "|---|---|---|")
    return "\n".join(("", f"## {table.name}", "", f"{said} {about}", "", *head, *rows))


def _type(column: Column) -> str:
    kind = "moment" if column.is_moment else "text" if column.type == TEXT else "number"
    return f"{kind}, may be empty" if column.nullable else kind


def main() -> int:
    """Exit 1 if ``--check`` finds a difference."""
    wanted = text() + "\n"
    if "--check" in sys.argv:
        if TABLES_MD.read_text() != wanted:
            print("docs/TABLES.md is not the code's; write it with: make readme", file=sys.stderr)
            return 1
        return 0
    TABLES_MD.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
