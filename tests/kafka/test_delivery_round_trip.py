"""One lead all the way round, on the running system: in from HubSpot, routed, accepted in Slack,
written back, won by a webhook, seen on the board."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kafka.conftest import LiveSystem
from tests.kafka.round_trip import AGREEMENT, EMAIL, Trip, environment_for, go_round, serving
from tests.services.delivery.fake_hubspot import FakeHubSpot
from tests.services.delivery.fake_slack import FakeSlack

pytestmark = [pytest.mark.kafka, pytest.mark.slow, pytest.mark.timeout(600)]


def test_a_contact_comes_in_goes_back_with_owner_and_stage_and_is_won_on_the_board(
    live_system: LiveSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack, hubspot = FakeSlack(), FakeHubSpot()
    contact = hubspot.add(EMAIL)
    with serving(slack.app()) as at_slack, serving(hubspot.app()) as at_hubspot:
        given = environment_for(tmp_path, at_slack, (at_hubspot, hubspot.token))
        for name, value in given.items():
            monkeypatch.setenv(name, value)
        with live_system(AGREEMENT) as system:
            go_round(Trip(system, slack, hubspot), contact, print)
