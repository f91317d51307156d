"""What a controller's log says of the one broker: alive, or fenced."""

import pytest

from baton.local.broker.fence import is_fenced

_HEAD = "2026-01-01 10:00:00,000"
_REGISTERED = (
    f"{_HEAD} INFO [QuorumController id=1] Replayed RegisterBrokerRecord establishing a new "
    "incarnation of broker 1: RegisterBrokerRecord("
    "brokerId=1, brokerEpoch=5, features=[], rack=null, fenced=true, inControlledShutdown=false, "
    "logDirs=[]) (ClusterControlManager)"
)
_ACTIVE = (
    f"{_HEAD} WARN [QuorumController id=1] Performing controller activation. (QuorumController)"
)


def _changed(fenced: int) -> str:
    return (
        f"{_HEAD} INFO [QuorumController id=1] Replayed BrokerRegistrationChangeRecord modifying "
        "the registration for broker 1:"
        f" BrokerRegistrationChangeRecord(brokerId=1, brokerEpoch=5, fenced={fenced}, "
        "inControlledShutdown=0, logDirs=[])"
        " (ClusterControlManager)"
    )


@pytest.mark.parametrize(
    ("lines", "fenced"),
    [
        ([], False),
        # it may have been written later that it is not, and not been read yet
        ([_REGISTERED], False),
        ([_REGISTERED, _ACTIVE], True),
        ([_REGISTERED, _changed(-1), _ACTIVE], False),
        ([_REGISTERED, _changed(-1), _ACTIVE, _changed(0)], False),
        ([_REGISTERED, _changed(-1), _ACTIVE, _changed(1)], True),
        ([_REGISTERED, _changed(-1), _changed(1), _changed(0), _ACTIVE], True),
        ([_ACTIVE], True),  # a node that ended before it registered: nobody is taken for alive
        ([_ACTIVE, _changed(-1)], False),
    ],
)
def test_the_last_that_is_said_counts_once_all_has_been_read(
    lines: list[str], fenced: bool
) -> None:
    assert is_fenced(lines) is fenced
