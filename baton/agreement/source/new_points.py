"""Other points in the text of an agreement: every other character stays as it is."""

from __future__ import annotations

from collections.abc import Mapping

from ruamel.yaml import YAML
from ruamel.yaml.nodes import MappingNode, Node


def with_points(text: str, points: Mapping[tuple[str, str], float]) -> str:
    """``text`` with the points of criteria (``fit``) and acts (``engagement``) replaced, by section
    and name. Raises KeyError for a name that it does not have."""
    root = YAML(typ="safe", pure=True).compose(text)
    spans = []
    for (section, name), value in points.items():
        entries = _of(root, section)
        if section == "engagement":
            entries = _of(entries, "acts")
        node = _of(_of(entries, name), "points")
        written = str(int(value)) if value == int(value) else str(value)
        spans.append((node.start_mark.index, node.end_mark.index, written))
    for start, end, written in sorted(spans, reverse=True):
        text = text[:start] + written + text[end:]
    return text


def _of(node: Node, key: str) -> Node:
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if name.value == key:
                found: Node = value
                return found
    raise KeyError(key)
