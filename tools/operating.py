"""Write the tables of docs/OPERATING.md from what they describe: settings, metrics, rights; or only
check them (``--check``)."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from baton.cli.ways_in import SenderSettings
from baton.contracts.acls import BOARD, CONCIERGE, DELIVERY, GATEWAY, topics_of
from baton.contracts.metric_catalogue import METRICS, About
from baton.contracts.topics import REDUCERS
from baton.engine.kafka.settings import EngineSettings
from baton.local.up.settings import UpSettings
from baton.settings import Settings
from services.delivery.settings import DeliverySettings
from services.ingest.settings import GatewaySettings
from services.insights.settings import BoardSettings

OPERATING = Path(__file__).resolve().parents[1] / "docs" / "OPERATING.md"

SETTINGS: tuple[tuple[str, type[BaseSettings]], ...] = (
    ("Every process and the command line", Settings),
    ("Every worker", EngineSettings),
    ("The gateway", GatewaySettings),
    ("The board, `insights`", BoardSettings),
    ("Delivery", DeliverySettings),
    ("`baton up`", UpSettings),
    ("`baton send` and `baton import`", SenderSettings),
)
_TITLES = {
    About.BUSINESS: "The business",
    About.ENGINE: "The engine",
    About.GATEWAY: "The gateway",
    About.DELIVERY: "Delivery",
}

_WITHOUT_REDUCERS = (GATEWAY, BOARD, DELIVERY, CONCIERGE)


def settings_tables() -> str:
    """Every setting: its variable, default and meaning."""
    return "\n\n".join(
        f"**{title}**\n\n{_table(('variable', 'default', 'what it does'), _rows(model))}"
        for title, model in SETTINGS
    )


def _rows(model: type[BaseSettings]) -> Iterator[tuple[str, ...]]:
    prefix = model.model_config.get("env_prefix", "")
    for name, field in model.model_fields.items():
        variable = field.validation_alias or f"{prefix}{name.upper()}"
        yield f"`{variable}`", _default(name, field), field.description or ""


def _default(name: str, field: FieldInfo) -> str:
    if field.default_factory is not None:
        return f"per user; see `baton doctor`, `{name}`"
    value: Any = field.default
    if value is None or isinstance(value, SecretStr):
        return "none"
    return "`false`" if value is False else f"`{value}`" if str(value) else "none"


def metrics_tables() -> str:
    """Every metric of the catalogue, by whom it is for."""
    tables = []
    for about, title in _TITLES.items():
        rows = [
            (f"`{spec.name}`", spec.kind.value, ", ".join(spec.labels) or "none", spec.says)
            for spec in METRICS.values()
            if spec.about is about
        ]
        tables.append(
            f"**{title}**\n\n{_table(('metric', 'type', 'labels', 'what it says'), rows)}"
        )
    return "\n\n".join(tables)


def rights_table() -> str:
    """What each service must be allowed on the cluster."""
    rows = [
        (
            f"`{reducer.service}`",
            _names(reducer.reducers),
            _names(reducer.reads),
            _names(reducer.writes),
        )
        for reducer in map(topics_of, dict.fromkeys((*REDUCERS.values(), *_WITHOUT_REDUCERS)))
    ]
    return _table(("service", "groups and transactional ids", "reads", "writes"), rows)


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    lines += [f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |" for row in rows]
    return "\n".join(lines)


SECTIONS: Mapping[str, Callable[[], str]] = {
    "settings": settings_tables,
    "metrics": metrics_tables,
    "rights": rights_table,
}


def marks(section: str) -> tuple[str, str]:
    """What stands before and after a table that is written from here."""
    return f"<!-- {section}: begin (make readme) -->", f"<!-- {section}: end -->"


def with_tables(text: str) -> str:
    """The text with the tables of now between their marks."""
    for section, table in SECTIONS.items():
        begin, end = marks(section)
        before, rest = text.split(begin)
        after = rest.split(end)[1]
        text = f"{before}{begin}\n{table()}\n{end}{after}"
    return text


def main() -> int:
    """Exit 1 if ``--check`` finds a difference."""
    text = OPERATING.read_text()
    wanted = with_tables(text)
    if "--check" in sys.argv:
        if text != wanted:
            print(
                "docs/OPERATING.md: its tables are not what they describe; write them with: make "
                "readme",
                file=sys.stderr,
            )
        return int(text != wanted)
    OPERATING.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
