"""libyaml's events of a text, some thirty times as fast as the parser of YAML 1.2 in Python.

libyaml reads YAML 1.1. Where the two differ is left to the other: anchors, aliases and tags, more
than plain line breaks, tabs, document marks, a block scalar that is the whole text, and what stands
close to a quoted key or to the sign of a block scalar. ``tests/agreement/test_quick_yaml.py`` holds
both against each other. Errors are not for here either: the other parser says what is wrong.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

# PyYAML is there without libyaml too, where it was not installed from a wheel.
_LOADER: Final = getattr(yaml, "CSafeLoader", None)

_DOUBTFUL: Final = re.compile(
    r"[^\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
    r"|(?m:^(?:---|\.\.\.|%| *[|>]))"
    r"|(?:^|[\s\[{,:?-])(?:[*!]|&(?!&))"
    r"|[\"']:\S"
    r"|[|>]\S*#"
)


class NotQuick(Exception):
    """This text is for the other parser."""


def quick_events(text: str) -> Iterator[Any]:
    """The events of ``text``, named as ruamel's. Raises :class:`NotQuick`, perhaps after some of
    them."""
    if _LOADER is None or _DOUBTFUL.search(text):
        raise NotQuick
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError) as error:
        raise NotQuick from error
