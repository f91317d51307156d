"""A backup of Baton on one machine: whole, its owner's alone, refused where it would be worth
nothing."""

import stat
import tarfile
from pathlib import Path

import pytest

from baton.local.broker.backup import BackupRefused, make_backup, put_back
from baton.local.broker.broker_record import BrokerRecord, write_record
from baton.processes import own_mark


@pytest.fixture
def home(tmp_path: Path) -> Path:
    place = tmp_path / "home"
    (place / "broker" / "data" / "leads-0").mkdir(parents=True)
    (place / "broker" / "data" / "leads-0" / "0.log").write_bytes(b"records")
    (place / "broker" / "server.properties").write_text("x=1")
    for name in ("kafka.log", "kafka.log.1", "kafka.out", "broker.json"):
        (place / "broker" / name).write_text("not wanted")
    (place / "write-key").write_text("local:acts:k")
    return place


def test_what_was_backed_up_comes_back_and_nobody_else_can_read_it(
    home: Path, tmp_path: Path
) -> None:
    file = tmp_path / "b.tgz"
    file.touch(mode=0o644)
    make_backup(home, file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as archive:
        assert not [
            name for name in archive.getnames() if "kafka." in name or "broker.json" in name
        ]
    other = tmp_path / "other"
    other.mkdir()
    put_back(other, file)
    assert (other / "broker" / "data" / "leads-0" / "0.log").read_bytes() == b"records"
    assert (other / "write-key").read_text() == "local:acts:k"
    data = Path("broker", "data", "leads-0", "0.log")
    assert stat.S_IMODE((other / data).stat().st_mode) == 0o600
    assert int((other / data).stat().st_mtime) == int((home / data).stat().st_mtime)
    assert {path.name for path in tmp_path.iterdir()} == {"home", "other", "b.tgz"}
    assert {path.name for path in other.iterdir()} == {"broker", "write-key"}


def test_a_running_broker_is_neither_copied_nor_written_over(home: Path, tmp_path: Path) -> None:
    make_backup(home, tmp_path / "b.tgz")
    write_record(home / "broker", BrokerRecord(mark=own_mark(), port=1, controller_port=2))
    for act in (make_backup, put_back):
        with pytest.raises(BackupRefused, match="the broker runs"):
            act(home, tmp_path / "b.tgz")


def test_data_that_is_there_is_not_written_over(home: Path, tmp_path: Path) -> None:
    make_backup(home, tmp_path / "b.tgz")
    with pytest.raises(BackupRefused, match="has data; delete it first"):
        put_back(home, tmp_path / "b.tgz")
    with pytest.raises(BackupRefused, match="there is no broker's data to back up"):
        make_backup(tmp_path / "nothing", tmp_path / "b.tgz")


def test_what_is_no_backup_leaves_the_home_as_it_was(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    rubbish = tmp_path / "x.tgz"
    rubbish.write_bytes(b"rubbish")
    with pytest.raises(BackupRefused, match="cannot be read"):
        put_back(home, rubbish)
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "file").write_text("not wanted")
    absolute = tarfile.TarInfo(str(tmp_path / "outside"))
    for name, source in (
        ("../outside", tmp_path / "file"),
        ("broker/data", tmp_path / "link"),
        (absolute.name, None),
    ):
        with tarfile.open(rubbish, "w:gz") as archive:
            if source is None:
                archive.addfile(absolute)
            else:
                archive.add(source, arcname=name)
        with pytest.raises(BackupRefused, match=rf"it has '{name}'"):
            put_back(home, rubbish)
    assert list(home.iterdir()) == []
    assert not (tmp_path / "outside").exists()
