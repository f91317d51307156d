"""Templates to HTML: everything is escaped, nothing undefined is printed, and text of the outside
goes through one filter."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from services.insights.board import words
from services.insights.board.charts import bar
from services.insights.board.definitions import DEFINITIONS
from services.insights.reports.context import Context

_HERE: Final = Path(__file__).resolve().parent
STATIC: Final = _HERE / "static"


def said(text: Any, longest: int = 120) -> Markup:
    """Text that somebody else wrote: cleaned, escaped, and kept from turning the line around it."""
    return Markup("<bdi>{}</bdi>").format(words.clean(text, longest))


@cache
def environment() -> Environment:
    """The templates with their filters."""
    env = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters |= {
        "said": said,
        "span": words.span,
        "number": words.number,
        "money": words.money,
        "amount": words.amount,
        "percent": words.percent,
        "share": words.share,
        "bounds": words.bounds,
        "machine": words.machine_time,
        "bar": bar,
        "rule": lambda text: str(text).replace(";", "; ").replace(":", " ").replace("_", " "),
        "plain": lambda text: str(text).replace("_", " "),
    }
    env.globals |= {
        "definitions": {key: (title, text) for key, title, text in DEFINITIONS},
        "all_definitions": DEFINITIONS,
        "quantile": words.quantile,
        "static": static_address,
    }
    return env


@cache
def static_address(name: str) -> str:
    """A static file's address, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?{digest}"


def render(template: str, context: Context | None, **values: Any) -> str:
    """A whole page."""
    helpers: dict[str, Any] = {"context": context}
    if context is not None:
        zone = context.zone
        helpers |= {
            "moment": lambda at: _time(at, words.moment(at, zone, context.now_ms)),
            "day": lambda at: (
                _time(at, words.day(at, zone))
                if isinstance(at, int)
                else escape(words.day(at, zone))
            ),
            "until": lambda at: _until(at, context.now_ms),
            "who": lambda person: said(context.person_name(person), 60),
            "reason": lambda word: said(context.label_of_reason(word), 60),
            "cell": lambda count: words.cell(count, named=context.viewer.role.value == "manager"),
        }
    return environment().get_template(template).render(helpers | values)


def _time(at_ms: int | None, text: str) -> Markup:
    if at_ms is None:
        return Markup('<span class="none">{}</span>').format(words.DASH)
    return Markup('<time datetime="{}">{}</time>').format(words.machine_time(at_ms), text)


def _until(at_ms: int | None, now_ms: int) -> Markup:
    """How far a deadline is, with a word and not by colour alone."""
    if at_ms is None:
        return Markup('<span class="none">{}</span>').format(words.DASH)
    state, text = ("late", "late by") if at_ms < now_ms else ("due", "due in")
    return Markup('<span class="{}">{} <time datetime="{}">{}</time></span>').format(
        state, text, words.machine_time(at_ms), words.span(at_ms - now_ms)
    )
