"""``broker.json``: which process the embedded broker of a home is, so that another command or a
later run finds it again."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from baton.processes import Mark, is_running

_FILE = "broker.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerRecord:
    """What ``broker.json`` holds: which process, and where it listens."""

    mark: Mark
    port: int
    controller_port: int
    fencing: bool = False
    """It is the controller alone, before a start: nobody listens at ``port`` yet."""

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return f"127.0.0.1:{self.port}"


def broker_home(home: Path) -> Path:
    """The folder of the embedded broker inside the run folder."""
    return home / "broker"


def read_record(home: Path) -> BrokerRecord | None:
    """The record of the broker in ``home``; None where there is none or it was cut off by a
    crash."""
    try:
        raw = json.loads((home / _FILE).read_text())
        return BrokerRecord(
            mark=Mark(**raw["mark"]),
            port=raw["port"],
            controller_port=raw["controller_port"],
            fencing=raw.get("fencing", False),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_record(home: Path, record: BrokerRecord) -> None:
    """Write it whole or not at all."""
    part = home / f"{_FILE}.new"
    part.write_text(json.dumps(asdict(record)))
    part.replace(home / _FILE)


def forget_record(home: Path) -> None:
    """Remove it."""
    (home / _FILE).unlink(missing_ok=True)


def running_broker(home: Path) -> BrokerRecord | None:
    """The record of the broker of this home if it runs now."""
    record = running_process(home)
    return None if record is None or record.fencing else record


def running_process(home: Path) -> BrokerRecord | None:
    """The record of what runs for this home now: the broker, or the controller before a start."""
    record = read_record(home)
    return record if record is not None and is_running(record.mark) else None
