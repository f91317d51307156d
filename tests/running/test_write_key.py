"""The write key that a run makes for itself."""

import stat
from pathlib import Path

import pytest

from baton.local.up.write_key import key_environment, key_file
from services.ingest.gateway.write_keys import Scope, key_ring
from services.ingest.settings import GatewaySettings


def test_a_key_is_made_once_for_the_user_alone_and_opens_the_gateway_to_all_scopes(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    reported = key_environment(home, {})
    written = key_file(home).read_text()
    assert reported == {"BATON_WRITE_KEYS_FILE": str(key_file(home))} == key_environment(home, {})
    assert key_file(home).read_text() == written
    assert stat.S_IMODE(key_file(home).stat().st_mode) == 0o600
    holder = key_ring(GatewaySettings(write_keys_file=key_file(home))).holder(
        written.strip().rpartition(":")[2]
    )
    assert holder is not None
    assert (holder.name, holder.scopes) == ("local", frozenset(Scope))


@pytest.mark.parametrize("given", ["BATON_WRITE_KEYS", "BATON_WRITE_KEYS_FILE", "BATON_INSECURE"])
def test_no_key_is_made_where_the_settings_say_who_may_send(tmp_path: Path, given: str) -> None:
    assert key_environment(tmp_path, {given: "1"}) == {}
    assert not key_file(tmp_path).exists()
