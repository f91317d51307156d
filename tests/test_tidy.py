"""How the code is kept: files and functions of a readable size, few parameters, a docstring for
each module.

What is larger than that today is named here with its size: it may shrink, and then its line goes;
it may not grow, and nothing new may come. Lines over 100 columns are ruff's (E501), with the files
that may have them in ``pyproject.toml``.
"""

from __future__ import annotations

import ast
import fnmatch
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from vulture import Vulture

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted([*ROOT.glob("baton/**/*.py"), *ROOT.glob("services/**/*.py")])
FILE_LINES, FUNCTION_LINES, PARAMETERS, COLUMNS = 300, 40, 7, 100

LONG_FILES: dict[str, int] = {}
"""Files over the bound; none."""

LONG_FUNCTIONS: dict[str, int] = {}
"""Functions over the bound; none."""

MANY_PARAMETERS = {
    "baton/cli/backtest.py:backtest_": 11,
    "baton/cli/import_.py:import_": 24,
    "baton/cli/send.py:send": 8,
    "baton/cli/simulate.py:simulate": 9,
    "baton/local/broker/embedded.py:__init__": 8,
    "baton/proof/audit/audit.py:__init__": 11,
}
"""Commands, and constructors of what runs once."""


ANATOMY = frozenset(
    {
        *("__init__", "__main__", "app", "settings"),
        *("reducer", "state", "step", "transitions"),
        *("process", "metrics", "operations", "commandline"),
    }
)
"""Files that every service, reducer or process of a kind has."""

LAYERS = frozenset(
    {
        *("handlers", "model", "checks", "compiler", "compiled"),
        *("cli", "screens", "reports"),
        "memory",
    }
)
"""Folders in which a file has the name of its subject: a kind of input, a section of the agreement,
a command, the screen that it shows, a page of the board; and the second host of the engine."""

WORDS = frozenset({"each", "tell", "tells", "told", "telling", "draft"})
"""Parts of names that say too little: a loop variable is named for what it iterates, and what is
published, notified, recorded or reported is called so."""

PROSE = re.compile(r"(?<![A-Za-z])(tells?|told|telling)(?![A-Za-z])", re.IGNORECASE)
"""The same in docstrings, comments, texts and documents."""

SPOKEN: dict[str, int] = {
    "baton/cli/up.py": 1,  # the position in a file: Python's own name for it
}
"""Files in which words of ``PROSE`` are left, and how many: only where another library has them."""


def of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    named = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return sum(1 for parameter in named if parameter.arg not in ("self", "cls"))


def too_large(path: Path, text: str) -> dict[str, dict[str, int]]:
    """What is over a bound, by kind and name."""
    name = str(path.relative_to(ROOT))
    found: dict[str, dict[str, int]] = {"file": {}, "function": {}, "parameters": {}}
    if (lines := len(text.splitlines())) > FILE_LINES:
        found["file"][name] = lines
    for function in of(ast.parse(text)):
        place, length = f"{name}:{function.name}", (function.end_lineno or 0) - function.lineno + 1
        if length > FUNCTION_LINES:
            found["function"][place] = max(length, found["function"].get(place, 0))
        if (count := parameters(function)) > PARAMETERS:
            found["parameters"][place] = count
    return found


@cache
def whole() -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {"file": {}, "function": {}, "parameters": {}}
    for path in SOURCES:
        for kind, sizes in too_large(path, path.read_text(encoding="utf-8")).items():
            found[kind] |= sizes
    return found


@pytest.mark.parametrize(
    ("kind", "named"),
    [("file", LONG_FILES), ("function", LONG_FUNCTIONS), ("parameters", MANY_PARAMETERS)],
)
def test_nothing_is_larger_than_it_may_be_and_the_list_of_exceptions_only_shrinks(
    kind: str, named: dict[str, int]
) -> None:
    found = whole()[kind]
    assert {name: size for name, size in found.items() if size > named.get(name, 0)} == {}
    assert {name for name in named if name not in found} == set(), (
        "it has shrunk: take it off the list"
    )


def test_every_module_says_what_it_is() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in SOURCES}
    silent = [
        path
        for path, text in texts.items()
        if text.strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_lines_are_long_only_where_that_is_said_and_still_so() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    ignored = settings["tool"]["ruff"]["lint"]["per-file-ignores"]
    named = [name for name, rules in ignored.items() if rules == ["E501"]]
    short = [
        name
        for name in named
        if all(
            len(line) <= COLUMNS for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
        )
    ]
    assert short == [], "no line of these is over 100 columns any more: take them off the list"


def test_a_planted_long_function_file_and_parameter_list_are_found() -> None:
    body = "\n".join(f"    x{number} = {number}" for number in range(FUNCTION_LINES + 5))
    text = f"def long_one(a, b, c, d, e, f, g, h):\n{body}\n" + "y = 1\n" * FILE_LINES
    found = too_large(ROOT / "baton" / "planted.py", text)
    assert found["function"] == {"baton/planted.py:long_one": FUNCTION_LINES + 6}
    assert found["parameters"] == {"baton/planted.py:long_one": 8}
    assert found["file"] == {"baton/planted.py": FILE_LINES + FUNCTION_LINES + 6}


def homonyms(names: Iterable[str]) -> dict[str, int]:
    counts = Counter(name for name in names if name not in ANATOMY)
    return {name: count for name, count in sorted(counts.items()) if count > 1}


def test_no_two_modules_have_one_name() -> None:
    sources = [path for path in SOURCES if not LAYERS & set(path.relative_to(ROOT).parts)]
    assert homonyms(path.stem for path in sources) == {}


def test_a_planted_homonym_is_found() -> None:
    assert homonyms(["reducer", "reducer", "facts", "facts", "queue"]) == {"facts": 2}


def own_names(text: str) -> Iterator[tuple[int, str]]:
    """Every name that a module gives: functions, classes, parameters, and what it assigns."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id


def vague_names(text: str) -> list[tuple[int, str]]:
    """Variables named ``each`` or with another of ``WORDS`` in them. In the names of functions
    and classes ``each`` is English (``test_each_event_counts``)."""
    found = []
    for line, name in own_names(text):
        parts = set(name.lower().split("_")) & WORDS
        if parts - {"each"} or name == "each":
            found.append((line, name))
    return sorted(found)


def written_files() -> list[Path]:
    """The project's code and documents; records of what ran once, and this list, are not."""
    folders = ("baton", "services", "tests", "docs", "tools", "benchmarks", "examples", "deploy")
    kinds = {".py", ".md", ".yaml", ".html"}
    paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
    return sorted(
        path
        for path in [*paths, *ROOT.glob("*.md")]
        if path.suffix in kinds and path != Path(__file__).resolve()
    )


def test_variables_are_named_for_what_they_hold() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in written_files()
        if path.suffix == ".py" and (names := vague_names(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_what_is_published_or_reported_is_called_so_and_the_list_of_exceptions_only_shrinks() -> (
    None
):
    counts = {
        str(path.relative_to(ROOT)): len(PROSE.findall(path.read_text(encoding="utf-8")))
        for path in written_files()
    }
    found = {name: count for name, count in counts.items() if count}
    assert {name: count for name, count in found.items() if count > SPOKEN.get(name, 0)} == {}
    assert {name for name in SPOKEN if found.get(name, 0) < SPOKEN[name]} == set(), (
        "there are fewer now: take them off the list"
    )


def test_planted_words_are_found() -> None:
    text = "def was_told(draft):\n    return [each for each in draft]\ndef test_each_row(): ...\n"
    assert vague_names(text) == [(1, "draft"), (1, "was_told"), (2, "each")]
    assert PROSE.findall("Who is told, and what it tells; untold, tellers, was_told") == [
        "told",
        "tells",
        "told",
    ]


@pytest.mark.timeout(600)
def test_every_name_that_dead_code_is_excused_by_is_still_needed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    own = settings["tool"]["vulture"]
    search = Vulture(ignore_decorators=own["ignore_decorators"])
    search.scavenge([str(ROOT / path) for path in own["paths"]])
    unused = {found.name for found in search.get_unused_code(min_confidence=own["min_confidence"])}
    needless = [name for name in own["ignore_names"] if not fnmatch.filter(unused, name)]
    assert needless == [], "these are used by now, or gone: take them off the list"
