"""What a description that is well formed still gets wrong: a signature over what nothing gives, and
a rule that no record reaches. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from baton.agreement.document import Document
from baton.agreement.problems import Path, Problem, path_words
from baton.sources.source_model import HmacRule, SourceModel, SourcesModel


def problems_of(model: SourcesModel, document: Document) -> Iterator[Problem]:
    """Everything that cannot work, with its line."""
    for name, source in model.sources.items():
        for path, reason in (
            *_of_signatures(source, has_url=model.public_url is not None),
            *_of_rules(source),
        ):
            whole: Path = ("sources", name, *path)
            place = document.place(whole)
            message = f"{path_words(whole)} {reason}"
            yield Problem(message=message, path=whole, line=place.line if place else 0)


_NO_TIMESTAMP = (
    "uses {timestamp}, and nothing gives one: say timestamp: {header: ...}, or a pattern with a "
    "group (?P<timestamp>...)"
)
_NO_URL = (
    "uses {url}, and the file has no public_url: set public_url to the address that the sender "
    "calls, such as https://leads.example.com"
)


def _of_signatures(source: SourceModel, *, has_url: bool) -> Iterator[tuple[Path, str]]:
    several = not isinstance(source.authenticate.hmac, HmacRule)
    for number, rule in enumerate(source.authenticate.signatures):
        path: Path = ("authenticate", "hmac", *([number] if several else []), "over")
        if "{timestamp}" in rule.over and not _gives_timestamp(rule):
            yield path, _NO_TIMESTAMP
        if "{url}" in rule.over and not has_url:
            yield path, _NO_URL


def _gives_timestamp(rule: HmacRule) -> bool:
    if rule.timestamp is not None and rule.timestamp.header is not None:
        return True
    return rule.pattern is not None and "timestamp" in re.compile(rule.pattern).groupindex


def _of_rules(source: SourceModel) -> Iterator[tuple[Path, str]]:
    first = next((n for n, rule in enumerate(source.events) if rule.when is None), None)
    if first is None:
        return
    reason = (
        f"is never reached: events[{first + 1}] has no when and takes every record; put it last, "
        "or give it a when"
    )
    for number in range(first + 1, len(source.events)):
        yield ("events", number), reason
