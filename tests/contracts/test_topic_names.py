"""The name of a topic is typed once; everything else takes it from there."""

import ast
from collections.abc import Iterator
from pathlib import Path

from baton.contracts.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / "baton" / "contracts" / "topic_names.py"
SOURCES = [*ROOT.glob("baton/**/*.py"), *ROOT.glob("services/**/*.py")]


def typed(source: str) -> Iterator[tuple[int, str]]:
    """Names of topics that stand in the code as texts, and their lines."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and node.value in TOPICS:
            yield node.lineno, str(node.value)


def test_the_name_of_a_topic_is_typed_once() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in SOURCES
        if path != HOME and (names := list(typed(path.read_text(encoding="utf-8"))))
    }
    assert found == {}, "take the constant of baton/contracts/topic_names.py"


def test_a_name_that_is_typed_again_is_found() -> None:
    assert list(typed("match topic:\n    case 'leads.qualified.v1':\n        pass\n")) == [
        (2, "leads.qualified.v1")
    ]
