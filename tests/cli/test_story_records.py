"""Every record that a lead's story can hold has a sentence, and shows no name to who may not see
names."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

import pytest

from baton.cli.explain import story_line
from baton.cluster.log import Record
from baton.contracts.intake import Person
from baton.contracts.leads import Story
from baton.contracts.topics import TOPICS
from baton.lead_story.sentences import StoryRecord, sentence_of
from baton.lead_story.stories import STORY_TOPICS, Chapter

SECRET = "Ann Berg of Acme"


def made(kind: Any) -> Any:
    """A value of the type, with a name wherever a person can be."""
    if kind is Person:
        return Person(first_name=SECRET, note=SECRET)
    if kind is Story:
        return Story(person=made(Person))
    if get_origin(kind) in (Union, UnionType):
        return next(
            (
                made(kind_of_record)
                for kind_of_record in get_args(kind)
                if is_dataclass(kind_of_record)
            ),
            None,
        )
    if is_dataclass(kind):
        hints, record = get_type_hints(kind), cast("Callable[..., Any]", kind)
        return record(
            **{
                field.name: made(hints[field.name])
                for field in fields(kind)
                if (field.default is MISSING and field.default_factory is MISSING)
                or hints[field.name] in (Person, Story)
            }
        )
    plain: dict[Any, Any] = {str: "x", int: 0, bool: False, bytes: b"", float: 0.0}
    return plain.get(kind, () if get_origin(kind) is tuple else {})


@pytest.mark.parametrize("topic", STORY_TOPICS)
def test_a_record_of_a_story_topic_has_a_sentence_and_no_name(topic: str) -> None:
    record_type = TOPICS[topic].record
    assert record_type in get_args(StoryRecord)
    value = made(record_type)
    assert sentence_of(value).about
    record = Record(topic, 0, 0, b"", b"", (), 0)
    chapter = Chapter(record=record, lead_id="l1", value=value)
    line = story_line(chapter, person=False)
    assert SECRET not in line
    json.loads(line)
