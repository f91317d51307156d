"""YAML as people write it: nothing is misread, everything has its line, and no text can hurt."""

import pytest

from baton.agreement.document import Place
from baton.agreement.source.read import examine
from baton.agreement.source.yaml import MAX_BYTES, MAX_DEPTH, MAX_NODES, plain_value, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NO", "NO"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("false", False),
        ("True", "True"),
        ("null", None),
        ("~", None),
        ("1:30", "1:30"),
        ("09:00-17:00", "09:00-17:00"),
        ("2026-12-24", "2026-12-24"),
        ("010", "010"),
        ("0o17", "0o17"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("+5", "+5"),
        ("1e3", "1e3"),
        (".5", ".5"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("0", 0),
        ("-20", -20),
        ("12.5", 12.5),
        ("99999999999999999999", "99999999999999999999"),
    ],
)
def test_a_scalar_is_what_it_looks_like(text: str, value: object) -> None:
    found = plain_value(text)
    assert (type(found), found) == (type(value), value)
    assert read_yaml(f"key: {text}\n").data == {"key": value}


def test_quotes_make_text() -> None:
    assert read_yaml("""{a: "5", b: 'true', c: "null"}""").data == {
        "a": "5",
        "b": "true",
        "c": "null",
    }


def test_every_key_and_value_has_its_place() -> None:
    document = read_yaml("a:\n  b: 1\n  c:\n    - x\n    - {d: 2}\n")
    assert document.data == {"a": {"b": 1, "c": ["x", {"d": 2}]}}
    assert document.places == {
        (): Place(line=1, column=1),
        ("a",): Place(line=1, column=1),
        ("a", "b"): Place(line=2, column=3),
        ("a", "c"): Place(line=3, column=3),
        ("a", "c", 0): Place(line=4, column=7),
        ("a", "c", 1): Place(line=5, column=7),
        ("a", "c", 1, "d"): Place(line=5, column=8),
    }
    assert document.place(("a", "c", 1, "nowhere", 4)) == Place(line=5, column=7)


def test_an_alias_stands_for_what_it_names() -> None:
    assert read_yaml("a: &x {points: 1}\nb: *x\n").data == {"a": {"points": 1}, "b": {"points": 1}}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, '"a" stands here a second time; the first is in line 1'),
        ("a:\n\tb: 1\n", 2, "is not YAML: a tab stands here; YAML is indented with spaces"),
        (
            "a: 1\n---\nb: 2\n",
            2,
            "a second document begins here; an agreement is one: remove the ---",
        ),
        (
            "a: !!python/object:os.system x\n",
            1,
            "tags such as !!str are not used here: write the value plainly, or in quotes",
        ),
        (
            "a: !!str 5\n",
            1,
            "tags such as !!str are not used here: write the value plainly, or in quotes",
        ),
        (
            "x: &x {a: 1}\ny:\n  <<: *x\n",
            3,
            "<< merges keys, which is hard to read aloud: write them out",
        ),
        ("a: *x\n", 1, "*x stands for nothing: no &x is complete before it"),
        ("a: &a [1, *a]\n", 1, "*a stands for nothing: no &a is complete before it"),
        ("? [a, b]\n: 1\n", 1, "a key is a word, not a list or a mapping"),
        ("? *x\n: 1\n", 1, "a key is a word, not an alias"),
        ("a: [1, 2\nb: 3\n", 2, "is not YAML: "),
        ('a: "unfinished\n', 2, "is not YAML: "),
        ("a: 1\x00\n", 0, "is not YAML: "),
    ],
)
def test_a_trap_is_named_with_its_line(text: str, line: int, words: str) -> None:
    problems = read_yaml(text).problems
    assert [(problem.line, problem.message[: len(words)]) for problem in problems] == [
        (line, words)
    ]


def test_a_duplicate_key_does_not_stop_reading_and_the_first_counts() -> None:
    document = read_yaml("a: 1\na: 2\nb: 3\nb: {c: 4}\nd: 5\n")
    assert document.data == {"a": 1, "b": 3, "d": 5}
    assert [problem.line for problem in document.problems] == [2, 4]


def test_a_bomb_of_anchors_does_not_go_off() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    problems = read_yaml(bomb).problems
    assert len(problems) == 1
    assert (
        problems[0].message
        == f"the agreement comes to more than {MAX_NODES} values (aliases are counted each time)"
    )


@pytest.mark.parametrize("text", ["[" * 50_000, "{a: " * 50_000, "- " * 50_000, "a:\n" * 10])
def test_nesting_without_end_is_refused_at_once(text: str) -> None:
    assert read_yaml(text).problems


def test_nesting_has_a_limit() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert read_yaml(deep).problems == ()
    assert [problem.message for problem in read_yaml(f"[{deep}]").problems] == [
        f"nested more than {MAX_DEPTH} deep"
    ]


def test_a_huge_document_is_not_even_read() -> None:
    problems = read_yaml("a: " + "x" * MAX_BYTES).problems
    assert [problem.message for problem in problems] == ["the file is larger than 256 KB"]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        ("just words\n", "has no sections"),
        ("[1, 2]\n", "has no sections"),
    ],
)
def test_what_is_no_agreement_is_said_to_be_none(text: str, what: str) -> None:
    examined = examine(text)
    assert examined.model is None
    assert [problem.message for problem in examined.problems] == [
        f"{what}: an agreement begins with agreement: 1; try baton agreement new"
    ]
