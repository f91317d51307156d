"""The log: one line each, with its place, and no e-mail address."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from baton.logs import Repeats, log_of, set_up_logs, without_addresses
from baton.settings import LogFormat


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Catches the log; puts the root logger back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield io.StringIO()
    root.handlers[:], root.level = handlers, level
    logging.captureWarnings(False)


def _lines(out: io.StringIO) -> list[str]:
    return out.getvalue().splitlines()


def test_a_json_line_names_service_reducer_partition_and_lead(out: io.StringIO) -> None:
    set_up_logs("router", form=LogFormat.JSON, stream=out)
    log_of("baton.engine", reducer="assignment", partition=3).warning(
        "held %d", 2, extra={"lead": "abc"}
    )
    (line,) = map(json.loads, _lines(out))
    assert line.pop("at").endswith("Z")
    assert line == {
        "level": "WARNING",
        "service": "router",
        "logger": "baton.engine",
        "message": "held 2",
        "reducer": "assignment",
        "partition": 3,
        "lead": "abc",
    }


def test_a_human_line_says_the_same(out: io.StringIO) -> None:
    set_up_logs("router", form=LogFormat.HUMAN, stream=out)
    log_of("baton.engine", reducer="assignment", partition=3).warning(
        "held %d", 2, extra={"lead": "abc"}
    )
    (line,) = _lines(out)
    assert line.partition(" ")[2] == "WARNING router assignment[3] abc: held 2"


@pytest.mark.parametrize("form", list(LogFormat))
def test_whatever_is_said_is_one_line(out: io.StringIO, form: LogFormat) -> None:
    set_up_logs("ingest", form=form, stream=out)
    try:
        raise ValueError("first\nsecond\r\u2028third")
    except ValueError:
        logging.getLogger("x").exception("forged\n12:00 ERROR another line\x85and more")
    assert len(_lines(out)) == 1
    assert "Traceback" in out.getvalue()
    assert "third" in out.getvalue()


def test_off_a_terminal_lines_are_json_unless_set_otherwise(out: io.StringIO) -> None:
    set_up_logs("ingest", stream=out)
    logging.getLogger("x").info("hello")
    assert json.loads(out.getvalue())["message"] == "hello"


def test_less_serious_lines_than_asked_for_are_not_written(out: io.StringIO) -> None:
    set_up_logs("ingest", level="WARNING", stream=out)
    logging.getLogger("x").info("hello")
    assert out.getvalue() == ""


ADDRESSES = (
    "ann@example.com",
    "ann.lee+crm@mail.example.co.uk",
    "ANN@EXAMPLE.COM",
    "ann%40example.com",
    "änn@exämple.de",
    "o'hara@example.com",
    '"ann lee"@example.com',
    "ann@xn--exmple-cua.de",
)


@pytest.mark.parametrize("form", list(LogFormat))
@pytest.mark.parametrize("address", ADDRESSES)
def test_no_address_leaves_by_message_argument_exception_place_or_logger(
    out: io.StringIO, form: LogFormat, address: str
) -> None:
    set_up_logs("ingest", form=form, stream=out)
    log = logging.getLogger("x")
    log.warning(f"in the text {address}, and <{address}> 'quoted {address}'")  # noqa: G004  # what is tested
    log.warning("as argument %s and %r", address, {"email": address})
    log.warning("named", extra={"lead": address})
    try:
        try:
            raise KeyError(address)
        except KeyError as error:
            raise ValueError(f"mailto:{address}") from error
    except ValueError:
        log.exception("failed")
    text = out.getvalue()
    assert len(_lines(out)) == 4
    assert address not in text
    assert "example.co" not in text.lower().replace("%40", "@")
    assert json.dumps(address)[1:-1] not in text
    assert "<address>" in text


@pytest.mark.parametrize("text", ["a @ b", "user@host", "50%40", "v1.2@", "leads.inbox.v1"])
def test_what_is_no_address_stays(text: str) -> None:
    assert without_addresses(text) == text


def test_what_a_library_repeats_is_reported_every_ten_seconds_with_how_often() -> None:
    now = 100.0
    repeats = Repeats("aiokafka", clock=lambda: now)

    def reported(name: str, text: str, *args: object) -> str | None:
        record = logging.LogRecord(name, logging.ERROR, __file__, 1, text, args, None)
        return record.getMessage() if repeats.filter(record) else None

    assert reported("aiokafka", "no node %d", 1) == "no node 1"
    assert reported("aiokafka.consumer", "no node %d", 2) == "no node 2"
    assert [reported("aiokafka", "no node %d", 1) for _ in range(1_200)] == [None] * 1_200
    assert [reported("baton.engine", "no node %d", 1) for _ in range(2)] == ["no node 1"] * 2
    now += 10
    assert (
        reported("aiokafka", "no node %d", 1) == "no node 1 (and 1,200 times more in the last 10 s)"
    )
    now += 10
    assert reported("aiokafka", "no node %d", 1) == "no node 1"
    wrong = logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, "%d nodes", ("no",), None)
    assert repeats.filter(wrong), "left to the handler"
    for number in range(1_000):
        reported("aiokafka", f"another {number}")
    assert reported("aiokafka", "no node %d", 1) == "no node 1", (
        "forgotten: what is remembered is bounded"
    )


def test_the_log_of_a_process_holds_back_what_its_client_repeats(out: io.StringIO) -> None:
    set_up_logs("router", form=LogFormat.HUMAN, stream=out)
    for _ in range(5):
        logging.getLogger("aiokafka").error("Unable connect to node with id 1")
        logging.getLogger("baton.engine").error("a fault")
    assert sum("Unable connect" in line for line in _lines(out)) == 1
    assert sum("a fault" in line for line in _lines(out)) == 5


def test_what_the_kafka_client_tries_again_by_itself_is_no_error_and_its_traceback_is(
    out: io.StringIO,
) -> None:
    set_up_logs("router", form=LogFormat.HUMAN, stream=out)
    logging.getLogger("aiokafka").error("Unable connect to node with id 1")
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logging.getLogger("aiokafka.consumer").exception("Unexpected")
    logging.getLogger("baton.engine").error("stopped")
    assert [line.split(" ")[1] for line in _lines(out)] == ["WARNING", "ERROR", "ERROR"]


def test_what_the_hosting_library_says_of_its_own_objects_is_left_out_unless_it_is_wrong(
    out: io.StringIO,
) -> None:
    set_up_logs("router", form=LogFormat.HUMAN, stream=out)
    logging.getLogger("baton.engine.kafka.worker").info("[^--EngineService]: Starting...")
    logging.getLogger("baton.engine.kafka.worker").error(
        "[^--EngineService]: Crashed reason=%r", "x"
    )
    assert [line.split(" ")[1] for line in _lines(out)] == ["ERROR"]
