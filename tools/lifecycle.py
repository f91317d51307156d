"""Write the table of moves and the sample story in docs/LIFECYCLE.md; or only check them
(``--check``).

The story is a run of ``baton simulate --explain`` in memory, at a fixed moment, so it is always the
same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from baton.cli.example import example_lines
from baton.contracts.leads import Actor, Stage, StageEvent
from services.scorer.lead.transitions import Refused, moved

ROOT = Path(__file__).resolve().parents[1]
LIFECYCLE = ROOT / "docs" / "LIFECYCLE.md"
AGREEMENT = ROOT / "examples" / "agreements" / "first.yaml"
MOMENT_MS = 1_795_988_349_718
_BATON = (sys.executable, "-c", "from baton.cli.main import app; app()")
_SCORED = "  scored     "


def moves_table() -> str:
    """Every move of the lifecycle as Markdown: one row for each event, actors and target."""
    rows = ["| event | by | from | to |", "|---|---|---|---|"]
    for event in StageEvent:
        actors_of: dict[tuple[tuple[Stage, Stage], ...], list[str]] = {}
        for actor in Actor:
            if moves := tuple(_moves(event, actor)):
                actors_of.setdefault(moves, []).append(actor.value)
        for moves, actors in actors_of.items():
            rows += _rows(event, ", ".join(actors), moves)
    return "\n".join(rows)


def _moves(event: StageEvent, actor: Actor) -> Iterator[tuple[Stage, Stage]]:
    for stage in Stage:
        to = moved(stage, event, actor)
        if not isinstance(to, Refused):
            yield stage, to


def _rows(event: StageEvent, actors: str, moves: tuple[tuple[Stage, Stage], ...]) -> Iterator[str]:
    stages_of: dict[str, list[str]] = {}
    for stage, to in moves:
        stages_of.setdefault("unchanged" if stage is to else to.value, []).append(stage.value)
    for to_name, stages in stages_of.items():
        named = "any" if len(stages) == len(Stage) else ", ".join(stages)
        yield f"| `{event.value}` | {actors} | {named} | {to_name} |"


def sample_story() -> str:
    """What ``baton simulate --explain`` prints of the example, without the scores in between."""
    with tempfile.TemporaryDirectory() as folder:
        events = Path(folder) / "events.jsonl"
        events.write_text("".join(f"{json.dumps(line)}\n" for line in example_lines(MOMENT_MS)))
        options = ("--agreement", AGREEMENT, "--events", events, "--explain", "Ann Berg")
        words = [*_BATON, "simulate", *map(str, options)]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
    return f"```\n{_shortened(done.stdout)}\n```"


def _shortened(story: str) -> str:
    lines = story.rstrip().splitlines()
    scored = [number for number, line in enumerate(lines) if _SCORED in line]
    kept, shown = [], True
    for number, line in enumerate(lines):
        if not line.startswith(" "):
            shown = number not in scored[1:-1]
        if shown:
            kept.append(line.rstrip())
    return "\n".join(kept)


SECTIONS: Mapping[str, Callable[[], str]] = {"moves": moves_table, "story": sample_story}


def with_sections(text: str) -> str:
    """The text with the table and the story of now between their marks."""
    for section, written in SECTIONS.items():
        begin, end = f"<!-- {section}: begin (make readme) -->", f"<!-- {section}: end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{written()}\n{end}{rest.split(end)[1]}"
    return text


def main() -> int:
    """Exit 1 if ``--check`` finds a difference."""
    text = LIFECYCLE.read_text()
    wanted = with_sections(text)
    if "--check" in sys.argv:
        if text != wanted:
            print(
                "docs/LIFECYCLE.md is not what the code does; write it with: make readme",
                file=sys.stderr,
            )
        return int(text != wanted)
    LIFECYCLE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
