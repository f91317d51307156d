"""What is sent again is nothing to worry about: whatever way and however often an event comes, the
audit finds nothing amiss."""

import json
from random import Random
from typing import Any

import pytest

from baton.agreement.reference import AgreementBook
from baton.contracts.codec import codec_for
from baton.contracts.intake import AliasKind, IdentityAlias
from baton.engine.memory import MemoryHost
from baton.engine.task_config import TaskConfig
from baton.flow import all_reducers
from baton.local.demo.company import iso
from baton.proof.audit.audit import Audit
from baton.proof.audit.source import MemorySource
from tests.simulation.scheduler import BEGINS_MS, INBOX, PARTITIONS, _agree, _post, agreement


def _line(number: int) -> bytes:
    line: dict[str, Any] = {
        "id": f"again-{number}",
        "source": "seed",
        "occurred_at": iso(BEGINS_MS),
        "kind": "engagement",
    }
    line |= {"identifiers": {"email": "ann@acme.example"}, "engagement": {"act": "page_view"}}
    return json.dumps(line).encode()


def _duplicates(host: MemoryHost) -> int:
    topic, codec = "intake.aliases.v1", codec_for(IdentityAlias)
    records = [stored for number in range(PARTITIONS) for stored in host.log.records(topic, number)]
    return sum(codec.decode(stored.value or b"").kind == AliasKind.DUPLICATE for stored in records)


@pytest.mark.parametrize("ways", ["http", "inbox", "both", "one request"])
def test_an_event_that_comes_four_times_leaves_the_audit_silent(ways: str) -> None:
    host = MemoryHost(
        all_reducers(),
        AgreementBook(),
        TaskConfig(partitions=PARTITIONS),
        start_ms=BEGINS_MS - 60_000,
    )
    _agree(host, *agreement())
    host.advance(BEGINS_MS)
    lines, random = [_line(0), _line(1)], Random(3)
    if ways == "one request":
        _post(host, lines * 4)
    for time in range(0 if ways == "one request" else 4):
        if ways == "http" or (ways == "both" and time % 2):
            _post(host, lines)
        else:
            for line in lines:
                host.log.append(INBOX, random.randrange(PARTITIONS), b"", line)
        host.advance(host.log.now + 100)
    host.advance(host.log.now + 30_000)
    report = Audit(
        MemorySource(host.log), all_reducers(), grace_ms=1_000, until_ms=host.log.now
    ).run()
    assert [str(finding) for finding in report.findings] == []
    assert _duplicates(host) == 6
