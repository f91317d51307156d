"""A card as Block Kit, and the text of a notice. Pure.

Text of leads goes through :func:`escaped`: no mention, no link, no markup comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ContextBlock,
    HeaderBlock,
    InteractiveElement,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)

from services.delivery.digest_notice import digest_lines, digest_title
from services.delivery.wording import Card, clean, moment

ACCEPT: Final = "baton_accept"
REJECT: Final = "baton_reject"
PASS_ON: Final = "baton_pass_on"
_OPTIONS: Final = 100
_SECTION: Final = 2_900
_HEADER: Final = 75
"""Half of what Slack takes: one that counts an emoji as two would refuse the whole card."""
_WRITTEN: Final = (
    ("&", "&amp;"),
    ("<", "&lt;"),
    (">", "&gt;"),
    ("*", "∗"),
    ("`", "ˋ"),
    ("~", "∼"),
)


def escaped(text: object, limit: int = 300) -> str:
    """Text as Slack shows it: the characters that begin a mention or a link are written out, those
    of bold, code and strike-through replaced by ones that look alike."""
    plain = clean(text, limit)
    for letter, written in _WRITTEN:
        plain = plain.replace(letter, written)
    return plain


def card_blocks(
    card: Card, handoff_id: str, reasons: Mapping[str, str], colleagues: Mapping[str, str]
) -> list[dict[str, Any]]:
    """``reasons`` and ``colleagues``: id and label of what can be chosen."""
    blocks: list[Block] = [
        HeaderBlock(text=PlainTextObject(text=clean(card.title, _HEADER), emoji=False)),
        SectionBlock(
            fields=[
                MarkdownTextObject(text=f"*{label}*\n{escaped(text)}", verbatim=True)
                for label, text in card.facts[:10]
            ]
        ),
    ]
    more = [f"*{label}*: {escaped(text)}" for label, text in card.facts[10:]]
    more += [f"• {escaped(line)}" for line in card.why]
    if more:
        text = "\n".join(more)[:_SECTION]
        blocks.append(SectionBlock(text=MarkdownTextObject(text=text, verbatim=True)))
    if card.open:
        blocks.append(_actions(handoff_id, reasons, colleagues))
    if card.status:
        status = MarkdownTextObject(text=escaped(card.status), verbatim=True)
        blocks.append(ContextBlock(elements=[status]))
    for block in blocks:
        block.validate_json()
    return [block.to_dict() for block in blocks]


def _actions(
    handoff_id: str, reasons: Mapping[str, str], colleagues: Mapping[str, str]
) -> ActionsBlock:
    elements: list[InteractiveElement] = [
        ButtonElement(
            text=PlainTextObject(text="Accept", emoji=False),
            action_id=ACCEPT,
            value=handoff_id,
            style="primary",
        )
    ]
    if reasons:
        elements.append(_select(REJECT, "Reject because …", reasons))
    if colleagues:
        elements.append(_select(PASS_ON, "Pass on to …", colleagues))
    return ActionsBlock(block_id=handoff_id, elements=elements)


def _select(action: str, placeholder: str, choices: Mapping[str, str]) -> StaticSelectElement:
    return StaticSelectElement(
        placeholder=PlainTextObject(text=placeholder, emoji=False),
        action_id=action,
        options=[
            Option(value=value, text=PlainTextObject(text=clean(label, 70) or value, emoji=False))
            for value, label in list(choices.items())[:_OPTIONS]
        ],
    )


_NOTICES: Final = {
    "warning": "Soon due",
    "breach": "Overdue",
    "withdrawn": "Was in time after all",
    "notify": "Please look",
    "escalate": "Escalated",
}


def notice_text(notes: Mapping[str, Any], name: str, zone: str) -> str:
    """One line about a clock or a step of the ladder; ``name``: of the lead, as plain text."""
    parts = [f"*{_NOTICES.get(str(notes.get('kind')), 'Notice')}*: {escaped(name)}"]
    if notes.get("clock"):
        parts.append(f"clock {escaped(notes['clock'])}")
    if notes.get("owner"):
        parts.append(f"holder {escaped(notes['owner'])}")
    if notes.get("deadline_ms"):
        parts.append(f"due {moment(int(notes['deadline_ms']), zone)}")
    if notes.get("reason"):
        parts.append(escaped(str(notes["reason"]).replace("_", " ")))
    return ", ".join(parts)


def digest_text(notes: Mapping[str, Any], titles: Mapping[str, str], zone: str) -> str:
    """The message of a digest; ``titles`` by lead, as plain text."""
    lines = [escaped(line) for line in digest_lines(notes, titles, zone)]
    return "\n".join([f"*Digest*: {escaped(digest_title(notes))}", *lines])


def choices_of(
    people: Mapping[str, Any], holder: str | None, names: Sequence[str]
) -> dict[str, str]:
    """The people of ``names`` whom a lead can be passed on to, by name."""
    return {
        person: people[person].name or person
        for person in names
        if person in people and people[person].active and person != holder
    }
