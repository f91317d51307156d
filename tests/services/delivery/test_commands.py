"""``baton delivery``: what it prints, and what its exit codes say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from typer.testing import CliRunner

from baton.cli.delivery import app
from baton.settings import load_settings
from services.delivery.operations import measure
from services.delivery.store.outbox_store import Store, rows
from services.delivery.targets.target_reading import TargetsWrong, read_secrets, read_targets
from tests.services.delivery.facts import NOON, routed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FILE = """\
version: 1
webhooks:
  crm-sync:
    url: https://127.0.0.1/hook
    secret_env: [BATON_SECRET_CRM]
    topics: [leads.routed.sales.v1]
    since: 2020-01-01T00:00:00Z
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "targets.yaml"
    file.write_text(FILE)
    monkeypatch.setenv("BATON_DELIVERY_TARGETS", str(file))
    monkeypatch.setenv("BATON_DELIVERY_FOLDER", str(tmp_path / "delivery"))
    monkeypatch.setenv("BATON_SECRET_CRM", SECRET)
    load_settings.cache_clear()
    return tmp_path


@pytest.fixture
def store(home: Path) -> Store:
    targets = read_targets(home / "targets.yaml")
    store = Store(home / "delivery", "baton")
    store.register(targets, 0)
    store.apply([routed(), routed("lead-2")], {}, targets, NOON)
    store.db.execute("UPDATE delivery SET state = 'dead', outcome = '500' WHERE seq = 1")
    return store


def said(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def objects(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_list_shows_the_outcome_and_never_what_is_in_it(store: Store) -> None:
    code, text = said("list", "--json", "--state", "dead")
    (row,) = objects(text)
    assert (code, row["state"], row["outcome"], row["lead_id"]) == (0, "dead", "500", "lead-1")
    assert "payload" not in row


def test_show_has_the_payload_and_an_unknown_id_says_where_to_look(store: Store) -> None:
    name = objects(said("list", "--json")[1])[0]["id"]
    assert json.loads(json.loads(said("show", name)[1])["payload"])["data"]["lead_id"] == "lead-2"
    with pytest.raises(RuntimeError, match="there is no delivery msg_x; see: baton delivery list"):
        said("show", "msg_x")


def test_resend_makes_a_dead_letter_wait_under_its_id(store: Store) -> None:
    (name,) = [row["id"] for row in objects(said("list", "--json", "--state", "dead")[1])]
    assert said("resend", "--dead", "crm-sync") == (0, f"{name}\n")
    found = rows(store.db, "SELECT state, resent, attempts FROM delivery WHERE id = ?", (name,))
    assert found == [{"state": "waiting", "resent": 1, "attempts": 0}]
    assert said("resend", name) == (1, "")
    assert said("resend")[0] == 2


def test_pause_and_resume_change_the_target_and_an_unknown_one_is_an_error(store: Store) -> None:
    def state() -> list[dict[str, Any]]:
        return rows(store.db, "SELECT paused, disabled, failures FROM target")

    said("pause", "crm-sync")
    assert state()[0]["paused"] == 1
    store.db.execute("UPDATE target SET disabled = 'it answered 410 Gone', failures = 9")
    assert said("targets")[0] == 1
    said("resume", "crm-sync")
    assert state() == [{"paused": 0, "disabled": None, "failures": 0}]
    assert said("targets")[0] == 0
    with pytest.raises(RuntimeError, match="there is no target nope"):
        said("pause", "nope")


def test_what_waits_for_a_target_can_be_cancelled_and_is_not_sent_again(store: Store) -> None:
    def waiting() -> list[str]:
        return [row["id"] for row in objects(said("list", "--json", "--state", "waiting")[1])]

    ids = waiting()
    assert ids
    assert said("cancel", "crm-sync", "--yes") == (
        0,
        f"cancelled {len(ids)} deliveries to crm-sync\n",
    )
    assert waiting() == []
    assert rows(store.db, "SELECT payload FROM delivery WHERE id = ?", (ids[0],)) == [
        {"payload": None}
    ]
    assert said("resend", *ids) == (1, "")
    assert said("cancel", "crm-sync", "--yes") == (0, "cancelled 0 deliveries to crm-sync\n")
    with pytest.raises(RuntimeError, match="there is no target nope"):
        said("cancel", "nope", "--yes")


def test_check_names_a_target_that_may_not_be_called(home: Path) -> None:
    code, text = said("check")
    assert code == 1
    assert text == (
        "wrong  crm-sync: the name leads to an address that is not allowed: it is loopback\n"
    )


def test_before_anything_was_delivered_it_says_how_to_begin(home: Path) -> None:
    with pytest.raises(RuntimeError, match="nothing was delivered from here yet"):
        said("list")


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("    colour: red\n", "webhooks.crm-sync.colour is not a key here"),
        (
            "slack:\n  crm-sync: {token_env: BATON_T, signing_secret_env: BATON_U, channel: C12}\n",
            "two targets are called crm-sync",
        ),
        ("    where: {level: hot}\n", "webhooks.crm-sync.where.level"),
        ("    parallel: 1000\n", "webhooks.crm-sync.parallel"),
        ("    fields: [owner]\n", "fields choose what a full body has; write body: full"),
    ],
)
def test_what_is_wrong_with_the_file_is_named_with_its_line(
    home: Path, planted: str, found: str
) -> None:
    path = home / "targets.yaml"
    path.write_text(FILE + planted)
    with pytest.raises(TargetsWrong) as error:
        read_targets(path)
    assert found in str(error.value)
    assert str(error.value).startswith(str(path))


def test_persons_cannot_be_subscribed_to(home: Path) -> None:
    path = home / "targets.yaml"
    path.write_text(FILE.replace("leads.routed.sales.v1", "leads.persons.v1"))
    with pytest.raises(TargetsWrong, match=r"leads\.persons\.v1 is no public topic"):
        read_targets(path)


def test_a_secret_that_is_not_set_is_named_with_its_target(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BATON_SECRET_CRM")
    with pytest.raises(TargetsWrong, match=r"BATON_SECRET_CRM \(of webhooks\.crm-sync\)"):
        read_secrets(read_targets(home / "targets.yaml"))


def test_the_doctor_looks_at_every_target(home: Path) -> None:
    from baton.cli.doctor import Verdict, examine

    found = {finding.check: finding for finding in examine(load_settings())}
    assert found["target crm-sync"].verdict is Verdict.WRONG
    assert "loopback" in found["target crm-sync"].text


def test_the_example_of_the_file_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    example = Path(__file__).resolve().parents[3] / "examples" / "targets" / "targets.yaml"
    found = read_targets(example)
    assert [kind for kind, _, _ in found.everything()] == [
        "webhooks",
        "webhooks",
        "slack",
        "mail",
        "hubspot",
        "salesforce",
    ]
    with pytest.raises(TargetsWrong) as error:
        read_secrets(found)
    for name in re.findall(r"BATON_\w+", str(error.value)):
        monkeypatch.setenv(name, "x")
    assert len(read_secrets(found)) == 10


def test_two_processes_do_not_deliver_from_one_directory(tmp_path: Path) -> None:
    from services.delivery.outbox_file import AlreadyRunning, only_one

    first = only_one(tmp_path / "delivery")
    with pytest.raises(AlreadyRunning, match="another process works in"):
        only_one(tmp_path / "delivery")
    first.close()
    only_one(tmp_path / "delivery").close()


def test_a_file_of_another_namespace_is_refused(home: Path, store: Store) -> None:
    from services.delivery.store.outbox_store import StoreDiffers

    with pytest.raises(StoreDiffers, match="for namespace baton, this is 1 for other"):
        Store(home / "delivery", "other")


def test_what_is_given_up_is_counted_from_nothing_on_so_that_the_first_one_is_an_increase(
    store: Store,
) -> None:
    measure(store.path)
    assert REGISTRY.get_sample_value("baton_delivery_dead_total", {"target": "crm-sync"}) == 0
