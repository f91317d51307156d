"""Files of a run: nobody else reads them, a rotation loses no line, and what the disk refuses is
one sentence."""

import errno
import logging
import os
import stat
from pathlib import Path

import pytest

from baton.cli.main import words_of
from baton.local.private_files import OwnLog, last_lines, open_log, private_folder, rotate
from baton.logs import set_up_logs


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_log_and_its_folder_are_their_owners_alone_also_where_the_folder_was_there(
    tmp_path: Path,
) -> None:
    (tmp_path / "logs").mkdir(mode=0o755)
    with open_log(tmp_path / "logs" / "x.log") as out:
        out.write(b"one\n")
    assert (_mode(tmp_path / "logs"), _mode(tmp_path / "logs" / "x.log")) == (0o700, 0o600)
    assert _mode(private_folder(tmp_path / "a" / "b")) == 0o700


def test_a_log_is_rotated_at_its_limit_and_three_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    assert not rotate(log, limit_bytes=4)
    for text in ("1111", "2222", "3333", "4444"):
        log.write_text(text)
        assert rotate(log, limit_bytes=4)
    log.write_text("555")
    assert not rotate(log, limit_bytes=4)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "x.log": "555",
        "x.log.1": "4444",
        "x.log.2": "3333",
        "x.log.3": "2222",
    }


def test_the_end_of_a_log_goes_over_a_rotation(tmp_path: Path) -> None:
    (tmp_path / "x.log.1").write_text("a\nb\nc\n")
    (tmp_path / "x.log").write_text("d\n")
    assert last_lines(tmp_path / "x.log", 3) == ["b", "c", "d"]
    assert last_lines(tmp_path / "nothing.log", 3) == []


def test_a_worker_writes_on_in_a_new_file_when_its_log_was_renamed(tmp_path: Path) -> None:
    root, log = logging.getLogger(), tmp_path / "x.log"
    handlers, level = root.handlers[:], root.level
    try:
        set_up_logs("router", file=log)
        logging.getLogger("baton").warning("before")
        rotate(log, limit_bytes=1)
        logging.getLogger("baton").warning("after")
        for handler in root.handlers:
            handler.close()
    finally:
        root.handlers[:], root.level = handlers, level
        logging.captureWarnings(False)
    assert "before" in (tmp_path / "x.log.1").read_text()
    assert "after" in log.read_text()


def test_what_writes_its_log_by_its_output_goes_on_in_a_new_file_for_as_long_as_it_runs(
    tmp_path: Path,
) -> None:
    log = tmp_path / "up.log"
    with open_log(log) as out:
        own = OwnLog(log, streams=(out.fileno(),))
        for said in (b"one\n", b"two\n"):
            os.write(out.fileno(), said)
            own.keep(limit_bytes=4)
        log.unlink()  # somebody makes room: the file is not kept from being given back
        own.keep(limit_bytes=4)
        os.write(out.fileno(), b"3\n")
        own.keep(limit_bytes=4)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "up.log": "3\n",
        "up.log.1": "two\n",
        "up.log.2": "one\n",
    }
    assert _mode(log) == 0o600


def test_an_output_that_goes_elsewhere_stays_there(tmp_path: Path) -> None:
    log, elsewhere = tmp_path / "up.log", tmp_path / "journal"
    log.write_text("of a former run\n")
    with open_log(elsewhere) as out:
        OwnLog(log, streams=(out.fileno(),)).keep(limit_bytes=4)
        os.write(out.fileno(), b"said\n")
    assert log.read_text() == "of a former run\n"
    assert elsewhere.read_text() == "said\n"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (
            errno.ENOSPC,
            "/h/run.json: no space left on device; make room, or choose a folder on another disk",
        ),
        (errno.EROFS, "/h/run.json: read-only file system; choose a folder that can be written"),
        (errno.EACCES, "/h/run.json: permission denied; choose a folder of your own"),
    ],
)
def test_what_the_disk_refuses_is_one_sentence(number: int, words: str) -> None:
    said = words_of(OSError(number, os.strerror(number), "/h/run.json"))
    assert said == f"{words} (BATON_HOME, BATON_CACHE)"
