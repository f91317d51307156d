"""Write the table of topics in the README from the catalogue; or only check it (``--check``)."""

import sys
from pathlib import Path

from baton.cli.topics import described
from baton.contracts.topics import TOPICS, Audience

README = Path(__file__).resolve().parents[1] / "README.md"
BEGIN, END = "<!-- topics: begin (make readme) -->", "<!-- topics: end -->"


def table() -> str:
    """The public topics as Markdown."""
    rows = [described(spec) for spec in TOPICS.values() if spec.audience is Audience.PUBLIC]
    lines = ["| topic | what it says | key | writer | kept |", "|---|---|---|---|---|"]
    lines += [
        f"| `{row['name']}` | {row['says']} | {row['key']} | {row['writer']} | {row['kept']} |"
        for row in rows
    ]
    return "\n".join(lines)


def with_table(text: str) -> str:
    """The README's text with the table of now between its marks."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> int:
    """Exit 1 if ``--check`` finds a difference."""
    text = README.read_text()
    wanted = with_table(text)
    if "--check" in sys.argv:
        if text != wanted:
            print(
                "README.md: the table of topics is not the catalogue's; write it with: make readme",
                file=sys.stderr,
            )
        return int(text != wanted)
    README.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
