"""What the documents point at is there: links, anchors, names, paths, modules, commands, options.

It reads every Markdown file of the checkout. It runs no command and looks at no network address.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from baton.cli import main

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = {".venv", ".git", "node_modules", ".pytest_cache"}
FOLDERS = (
    "baton",
    "services",
    "docs",
    "tests",
    "tools",
    "deploy",
    "examples",
    "schemas",
    "benchmarks",
)

_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)[ \t]*$", re.MULTILINE | re.DOTALL)
_SHELL = re.compile(r"^```(?:sh|bash|shell|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_NAMED = re.compile(r"\[`([A-Za-z_][\w.]*)`\]\(([^)\s]+\.py)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_PATH = re.compile(rf"(?:{'|'.join(FOLDERS)})/[\w./*-]+\Z")
_MODULE = re.compile(r"-m ((?:baton|benchmarks|services|tests|tools)[\w.]*)")
_SEPARATORS = {"|", "||", "&&", ";", ">", ">>", "<", "&"}


def documents() -> list[Path]:
    """Every Markdown file of the checkout."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = set(folders) - SKIPPED
        found += [Path(folder) / file for file in files if file.endswith(".md")]
    return sorted(found)


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of a document's headings, as GitHub makes them."""
    seen: dict[str, int] = {}
    made = set()
    for heading in _HEADING.findall(_FENCE.sub("", path.read_text())):
        words = _LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        count = seen.get(slug, 0)
        seen[slug] = count + 1
        made.add(f"{slug}-{count}" if count else slug)
    return frozenset(made)


def bad_links(path: Path, text: str) -> Iterator[str]:
    """Links to files, folders or headings that do not exist."""
    for target in _LINK.findall(_CODE.sub("", _FENCE.sub("", text))):
        if re.match(r"[a-z][a-z+.-]*:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (path.parent / name).resolve() if name else path
        if not there.exists():
            yield f"no such file: {target}"
        elif anchor and there.suffix == ".md":
            known = anchors(there) if name else anchors(path)
            if anchor not in known:
                yield f"no such heading: {target}"


def bad_names(path: Path, text: str) -> Iterator[str]:
    """Links from a name in code to a Python file that has no such name."""
    for name, target in _NAMED.findall(_FENCE.sub("", text)):
        there = (path.parent / target).resolve()
        last = name.rpartition(".")[2]
        if there.is_file() and not re.search(rf"\b(?:def|class) {last}\b", there.read_text()):
            yield f"no {name} in {target}"


def bad_paths(path: Path, text: str) -> Iterator[str]:
    """Paths from the root of the checkout, and modules, that do not exist."""
    del path
    for code in _CODE.findall(_FENCE.sub("", text)):
        for word in code.split():
            name = word.rstrip(".,:;")
            if _PATH.match(name) and not any(ROOT.glob(name.rstrip("/"))):
                yield f"no such path: {name}"
    for module in _MODULE.findall(text):
        if not _is_module(module.rstrip(".")):
            yield f"no such module: {module}"


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def bad_commands(path: Path, text: str) -> Iterator[str]:
    """``baton ...`` in code that names no command, or an option that the command does not have."""
    del path
    for line in _command_lines(text):
        for words in _invocations(line):
            yield from _wrong_in(words)


def _command_lines(text: str) -> Iterator[str]:
    for block in _SHELL.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    for code in _CODE.findall(_FENCE.sub("", text)):
        yield " ".join(code.split())


def _invocations(line: str) -> Iterator[list[str]]:
    """The words behind each ``baton`` that stands where a command stands."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        words = list(lexer)
    except ValueError:
        words = line.split()
    begins, current = True, None
    for word in [*words, ";"]:
        if word in _SEPARATORS:
            if current is not None:
                yield current
            begins, current = True, None
        elif current is not None:
            current.append(word)
        elif begins and word in ("baton", ".venv/bin/baton"):
            current = []
        else:
            begins = begins and "=" in word  # NAME=value before a command


def _wrong_in(words: list[str]) -> Iterator[str]:
    said = " ".join(["baton", *words])
    if not words or not re.match(r"[a-z]", words[0]):
        return  # the program itself with its own options, or a place for a command
    command = _commands().get(words[0])
    if command is None:
        yield f"no such command: {said}"
        return
    if isinstance(command, TyperGroup):
        if len(words) == 1 or not re.match(r"[a-z]", words[1]):
            return
        command = command.commands.get(words[1])
        if command is None:
            yield f"no such command: {said}"
            return
    known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
    for word in words:
        if word.startswith("--") and (name := word.partition("=")[0]) not in {*known, "--help"}:
            yield f"no such option {name}: {said}"


@cache
def _commands() -> dict[str, Any]:
    """Every command, with its own module loaded."""
    root = typer.main.get_command(main.build())
    assert isinstance(root, TyperGroup)
    context = root.make_context("baton", ["help"], resilient_parsing=True)
    return {name: root.resolve_command(context, [name])[1] for name in root.commands}


def relative(path: Path) -> str:
    """For the name of a case."""
    return str(path.relative_to(ROOT))


Check = Callable[[Path, str], Iterator[str]]


@pytest.mark.parametrize("path", documents(), ids=relative)
@pytest.mark.parametrize("check", [bad_links, bad_names, bad_paths, bad_commands])
def test_what_a_document_points_at_is_there(path: Path, check: Check) -> None:
    assert list(check(path, path.read_text())) == []


@pytest.mark.parametrize(
    ("check", "planted", "found"),
    [
        (bad_links, "[a](docs/NOWHERE.md)", "no such file: docs/NOWHERE.md"),
        (bad_links, "[a](docs/GLOSSARY.md#nowhere)", "no such heading: docs/GLOSSARY.md#nowhere"),
        (bad_links, "[a](#nowhere)", "no such heading: #nowhere"),
        (bad_links, "[a](services/scorer/nobody.py)", "no such file: services/scorer/nobody.py"),
        (bad_names, "[`x.nobody`](tools/readme.py)", "no x.nobody in tools/readme.py"),
        (bad_paths, "see `services/scorer/nobody.py`", "no such path: services/scorer/nobody.py"),
        (bad_paths, "see `tests/*/nobody.py`", "no such path: tests/*/nobody.py"),
        (bad_paths, "`python -m baton.nowhere`", "no such module: baton.nowhere"),
        (bad_paths, "`python -m baton.nowhere.at_all`", "no such module: baton.nowhere.at_all"),
        (bad_commands, "run `baton explode LEAD`", "no such command: baton explode LEAD"),
        (bad_commands, "run `baton dlq bury x`", "no such command: baton dlq bury x"),
        (bad_commands, "```sh\nA=1 baton explode\n```", "no such command: baton explode"),
        (bad_commands, "```sh\ncat x | .venv/bin/baton sent\n```", "no such command: baton sent"),
        (
            bad_commands,
            "`baton tail --backwards`",
            "no such option --backwards: baton tail --backwards",
        ),
        (
            bad_commands,
            "```sh\nbaton tail \\\n  --no=1\n```",
            "no such option --no: baton tail --no=1",
        ),
    ],
)
def test_what_is_not_there_is_found(check: Check, planted: str, found: str) -> None:
    assert list(check(ROOT / "README.md", planted)) == [found]


@pytest.mark.parametrize(
    "fine",
    [
        "[`with_table`](tools/readme.py) [a](https://example.com/x) [c](examples/agreements)",
        "[b](docs/GLOSSARY.md#engine)",
        "`services/scorer` `services/<service>/x.py` `docs/*.md` `python -m benchmarks`",
        "`baton` `baton ...` `baton tail leads.scored.v1 --no-follow` `baton dlq` `baton --help`",
        "`baton source check|test|new` and a baton explode in prose",
        "```sh\nexport A=1  # baton explode\nBATON_X=1 baton up && baton down\n```",
    ],
)
def test_what_is_there_passes(fine: str) -> None:
    path, checks = ROOT / "README.md", (bad_links, bad_names, bad_paths, bad_commands)
    assert [wrong for check in checks for wrong in check(path, fine)] == []
