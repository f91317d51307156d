"""The log of a process: one line for each thing said, for people or as JSON, and never an e-mail
address in it.

Every line names the service; with :func:`log_of` also the reducer, the partition and, where one is
meant, the lead. Personal data is not to be logged in the first place: that addresses are struck out
of the finished line, tracebacks included, is the net below.
"""

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from baton.settings import LogFormat

_PLACE = ("reducer", "partition", "lead")
_STRUCK = "<address>"
# Wider than what is a valid address on purpose: also quoted, percent-encoded and internationalised
# ones.
_ADDRESS = re.compile(
    r"[^\s<>()\[\]{}\"',;:=|\\/]+\"?(?:@|%40)[^\s<>()\[\]{}\"',;:=|\\/@]+\.[^\s<>()\[\]{}\"',;:=|\\/@]+"
)
_LINE_BREAKS = re.compile(r"\s*[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]\s*")
_NOISY = {
    "aiokafka": logging.WARNING,
    # Each retry of a produce request is a warning there, and retries are a normal part of
    # transactions.
    "aiokafka.producer.sender": logging.ERROR,
    "asyncio": logging.WARNING,
    "faust": logging.WARNING,
    "uvicorn": logging.WARNING,
}


def set_up_logs(
    service: str,
    *,
    form: LogFormat | None = None,
    level: str = "INFO",
    stream: TextIO | None = None,
    file: Path | None = None,
) -> None:
    """Let every logger of this process write to ``file``, else to ``stream`` (stderr).

    ``form``: without it, for people on a terminal, else JSON. The file is opened again when it was
    renamed.
    """
    out = sys.stderr if stream is None else stream
    chosen = form or (LogFormat.HUMAN if file is None and out.isatty() else LogFormat.JSON)
    handler = (
        logging.StreamHandler(out)
        if file is None
        else WatchedFileHandler(file, encoding="utf-8", delay=True)
    )
    handler.setFormatter(HumanLine(service) if chosen is LogFormat.HUMAN else JsonLine(service))
    handler.addFilter(Repeats("aiokafka"))
    handler.addFilter(_is_no_noise)
    handler.addFilter(_as_warning)
    root = logging.getLogger()
    for former in root.handlers[:]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in _NOISY.items():
        logging.getLogger(name).setLevel(max(least, root.level))
    logging.captureWarnings(True)


def _is_no_noise(record: logging.LogRecord) -> bool:
    """Not what the library that hosts a worker says of its own objects (``[^--EngineService]:
    Starting...``)."""
    return record.levelno > logging.INFO or not (
        isinstance(record.msg, str) and record.msg.startswith("[^")
    )


def _as_warning(record: logging.LogRecord) -> bool:
    """What the Kafka client tries again by itself is no error: nobody has to look. Its tracebacks
    stay errors."""
    if (
        record.name.partition(".")[0] == "aiokafka"
        and record.levelno == logging.ERROR
        and not record.exc_info
    ):
        record.levelno, record.levelname = logging.WARNING, logging.getLevelName(logging.WARNING)
    return True


def log_of(
    name: str, *, reducer: str, partition: int | None = None
) -> "logging.LoggerAdapter[logging.Logger]":
    """A logger whose lines name the reducer and the partition; ``extra={"lead": ...}`` of a call
    names a lead too."""
    return _Placed(
        logging.getLogger(name),
        {"reducer": reducer} if partition is None else {"reducer": reducer, "partition": partition},
    )


class _Placed(logging.LoggerAdapter[logging.Logger]):
    """Adds its own place to what a call gives, instead of replacing it (the standard adapter can
    from Python 3.13 on)."""

    def process(self, msg: Any, kwargs: Any) -> tuple[Any, Any]:
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def without_addresses(text: str) -> str:
    """The text with every e-mail address struck out."""
    return _ADDRESS.sub(_STRUCK, text) if "@" in text or "%40" in text else text


class Repeats(logging.Filter):
    """Lets what one library says again and again through every ten seconds only, with how often it
    was held back meanwhile.

    While no broker answers, each client logs each attempt: thousands of lines a second, in
    which nothing else is found.
    """

    _EVERY_S, _KNOWN = 10.0, 256

    def __init__(self, family: str, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(family)
        self._clock = clock
        self._held: dict[tuple[str, int, object], tuple[float, int]] = {}
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):  # of another family
            return True
        try:
            text, now = record.getMessage(), self._clock()
        except Exception:  # noqa: BLE001 - whoever words it wrongly hears of it from the handler, as ever, and is not ended by it
            return True
        said = text, record.levelno, record.exc_info[0] if record.exc_info else None
        with self._lock:
            shown_at, held = self._held.pop(said, (None, 0))
            if shown_at is not None and now - shown_at < self._EVERY_S:
                self._held[said] = shown_at, held + 1
                return False
            if len(self._held) >= self._KNOWN:
                del self._held[next(iter(self._held))]
            self._held[said] = now, 0
        if held:
            record.msg, record.args = (
                f"{text} (and {held:,} times more in the last {now - (shown_at or now):,.0f} s)",
                None,
            )
        return True


class HumanLine(logging.Formatter):
    """``12:30:01.123 WARNING router lead[3]: text``; a traceback follows on the same line, its
    lines parted by bars."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        place = _place_of(record)
        where = place.get("reducer", record.name)
        if "partition" in place:
            where = f"{where}[{place['partition']}]"
        if "lead" in place:
            where = f"{where} {place['lead']}"
        text = " | ".join(part for part in (record.getMessage(), _traceback_of(record)) if part)
        return without_addresses(
            _LINE_BREAKS.sub(" | ", f"{moment} {record.levelname} {self._service} {where}: {text}")
        )


class JsonLine(logging.Formatter):
    """One JSON object a line: at, level, service, logger, message, and reducer, partition, lead,
    error where there are."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": without_addresses(record.getMessage()),
        }
        line |= {
            name: without_addresses(value) if isinstance(value, str) else value
            for name, value in _place_of(record).items()
        }
        if error := _traceback_of(record):
            line["error"] = without_addresses(error)
        return json.dumps(
            line, ensure_ascii=True, default=lambda value: without_addresses(repr(value))
        )


def _place_of(record: logging.LogRecord) -> dict[str, object]:
    return {
        name: getattr(record, name) for name in _PLACE if getattr(record, name, None) is not None
    }


def _traceback_of(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    return "".join(traceback.format_exception(*record.exc_info)).strip()
