"""Write the table of moves and the sample story in docs/LIFECYCLE.md, and the table of what staff
may say in docs/SENDING.md; or only check them (``--check``).

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
SENDING = ROOT / "docs" / "SENDING.md"
AGREEMENT = ROOT / "examples" / "agreements" / "first.yaml"
MOMENT_MS = 1_795_988_349_718
_BATON = (sys.executable, "-c", "from baton.cli.main import app; app()")
_SCORED = "  scored     "
_FEW = 2
_ACT_OF = {StageEvent.DEAL_CHANGED: "deal"}


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


def acts_table() -> str:
    """In which stages each role may say what, as Markdown: one row for each act."""
    staff = (Actor.SDR, Actor.SALES, Actor.MANAGER, Actor.MARKETING)
    acts = [event for event in StageEvent if any(tuple(_moves(event, actor)) for actor in staff)]
    rows = ["| act | sdr | sales | manager | marketing |", "|---|---|---|---|---|"]
    for event in acts:
        cells = [_stages(event, actor) for actor in staff]
        rows.append(f"| `{_ACT_OF.get(event, event.value)}` | {' | '.join(cells)} |")
    return "\n".join(rows)


def _stages(event: StageEvent, actor: Actor) -> str:
    stages = [stage for stage, _ in _moves(event, actor)]
    others = [stage for stage in Stage if stage not in stages]
    if len(others) <= _FEW:
        return f"all but {', '.join(others)}" if others else "any"
    return ", ".join(stages) or "-"


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


SECTIONS: Mapping[Path, Mapping[str, Callable[[], str]]] = {
    LIFECYCLE: {"moves": moves_table, "story": sample_story},
    SENDING: {"acts": acts_table},
}


def with_sections(text: str, sections: Mapping[str, Callable[[], str]]) -> str:
    """The text with what is written of now between the marks of its sections."""
    for section, written in sections.items():
        begin, end = f"<!-- {section}: begin (make readme) -->", f"<!-- {section}: end -->"
        before, rest = text.split(begin)
        text = f"{before}{begin}\n{written()}\n{end}{rest.split(end)[1]}"
    return text


def main() -> int:
    """Exit 1 if ``--check`` finds a difference."""
    differ = False
    for path, sections in SECTIONS.items():
        text = path.read_text()
        wanted = with_sections(text, sections)
        if "--check" not in sys.argv:
            path.write_text(wanted)
        elif text != wanted:
            differ = True
            name = path.relative_to(ROOT)
            print(f"{name} is not what the code does; write it with: make readme", file=sys.stderr)
    return int(differ)


if __name__ == "__main__":
    sys.exit(main())
