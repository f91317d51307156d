"""libyaml reads an agreement where it reads it as the parser of YAML 1.2 does, and nowhere else."""

import random
from pathlib import Path

import pytest

from baton.agreement.source.yaml import read_quickly, read_strictly, read_yaml

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for folder in ("baton", "examples", "deploy", "tests")
    for path in sorted((ROOT / folder).rglob("*.yaml"))
}
AGREEMENTS = [name for name, text in TEXTS.items() if "\nagreement: 1\n" in f"\n{text}"]

FRAGMENTS = [
    *["a", "b c", "é", "\U0001f600", "1:30", "NO", "1.50", "~", "null", "http://x.y/z?q=1#f"],
    *[": ", ":", "- ", "-", ", ", ",", "? ", "?", "[", "]", "{", "}", "#", " #c", "=", "==", "%"],
    *["\n", "\n  ", "\n    ", "\n- ", " ", "  ", "'", '"', "''", "\\n", "\\x41", "\\/", "\\ud800"],
    *[
        "|",
        "|-\n",
        "|+\n",
        "|2\n",
        ">",
        ">-\n",
        ">1-\n",
        ">+\n  ",
        "&a ",
        "&& ",
        "*a",
        "!",
        "!!str ",
        "@",
    ],
    *["---\n", "--- ", "...\n", "<<: ", "\t", "\r\n", "\r", "\x85", "\u2028", "\ufeff", "\x07"],
    *["key: value\n", "list:\n  - x\n", "  more: [a, {b: c}]\n", "a:b", "x#y", "'a'b", "-a", "::"],
    *["k: >\n  folded\n   more\n\n  end\n", "k: |\n  kept\n\n\n", "k: plain\n  goes on\n  # no\n"],
    *['k: "a\n  b\\\n   c"\n', "k: 'a\n\n b'\n", "{a:1}", '["a":1]', "[a: b]", "[,]", "{a,}"],
    "k" * 130,
]


def alike(text: str) -> bool:
    """Whether it was read quickly, which must have come to the same."""
    quick = read_quickly(text)
    if quick is not None:
        strict = read_strictly(text)
        assert (repr(quick.data), quick.places) == (repr(strict.data), strict.places), text
        assert strict.problems == (), text
    return quick is not None


@pytest.mark.parametrize("name", TEXTS)
def test_every_yaml_file_of_the_project_is_read_alike(name: str) -> None:
    assert alike(TEXTS[name]) or name not in AGREEMENTS


@pytest.mark.parametrize(
    "text",
    [
        *["a: 1\tb", "a: 'b'\t", "a: b\x85c", "a: b\u2028c", "a: b\n\ufeff", "\r- a", "a: b\x07"],
        *["--- a", "a\n...\n", "%YAML 1.1\n---\na", "&a:b c", "a: &x 1\nb: *x", "a: ! 1", "!a"],
        *['["a":1]', "{'a':1}", "a: |#b\n  c", "a: >-#b\n  c", "|-\n#"],
        *["a: [1, 2\nb: 3", "a: 1\na: 2", "a: 'b", "a: '\\ud800", "[" * 50],
    ],
)
def test_what_the_two_may_read_differently_or_is_wrong_is_read_by_the_strict_one(text: str) -> None:
    assert read_quickly(text) is None
    assert read_yaml(text) == read_strictly(text)


def test_fragments_in_any_order_are_read_alike() -> None:
    dice = random.Random(2)
    texts = ("".join(dice.choices(FRAGMENTS, k=dice.randint(1, 7))) for _ in range(4_000))
    assert sum(map(alike, texts)) > 500


def test_agreements_that_were_damaged_in_a_place_are_read_alike() -> None:
    """A few lines of an agreement, a fragment put in or some characters taken out."""
    dice = random.Random(1)
    quickly = 0
    for _ in range(1_500):
        lines = TEXTS[dice.choice(AGREEMENTS)].splitlines(keepends=True)
        first = dice.randrange(len(lines))
        text = "".join(lines[first : first + dice.randint(1, 12)])
        at = dice.randrange(len(text) + 1)
        fragment = dice.choice([dice.choice(FRAGMENTS), ""])
        quickly += alike(
            text[:at] + fragment + text[at + (0 if fragment else dice.randint(1, 4)) :]
        )
    assert quickly > 300


def test_numbers_keep_how_they_were_written() -> None:
    document = read_quickly("a: 8.000\nb: 010\nc: -1.5\n")
    assert document is not None
    assert repr(document.data) == repr({"a": 8.0, "b": "010", "c": -1.5})
    assert document.data["a"].text == "8.000"
