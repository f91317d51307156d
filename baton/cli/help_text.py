"""Help as terminals show it: paragraphs flow at the terminal's own width, and each example has a
line of its own."""

from __future__ import annotations

import inspect
import re
from typing import Any

_BETWEEN_EXAMPLES = re.compile(r" {3,}")


def flow(command: Any) -> None:
    """Prepare the help of a command and of those below it."""
    command.help = flowing(command.help) if command.help else command.help
    command.epilog = example_lines(command.epilog) if command.epilog else command.epilog
    for below in getattr(command, "commands", {}).values():
        flow(below)


def flowing(text: str) -> str:
    """The docstring without its own line ends: typer joins those of the first paragraph alone. A
    paragraph with an indented line, or of which a line begins with a dash, keeps its lines."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        paragraph if re.search(r"^(?:\s|[-*] )", paragraph, re.MULTILINE) else _joined(paragraph)
        for paragraph in paragraphs
    )


def _joined(paragraph: str) -> str:
    return " ".join(paragraph.split())


def example_lines(epilog: str) -> str:
    """``Examples:  one        two``, each on a line of its own; a single one stays where it is."""
    first, *more = _BETWEEN_EXAMPLES.split(epilog)
    if not more:
        return epilog
    heading, _, example = first.partition("  ")
    return "\n  ".join((heading, example.strip(), *(other.strip() for other in more)))
