"""Asking a broker that has just come back."""

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException

from baton.cluster.log import patiently


def answers(*said: int | None) -> Callable[[], str]:
    """Raises an error of each code in turn; None is an answer."""
    left = list(said)

    def ask() -> str:
        code = left.pop(0)
        if code is not None:
            raise KafkaException(KafkaError(code))
        return f"{len(left)} left"

    return ask


def test_who_does_not_lead_yet_is_asked_again() -> None:
    ask = answers(
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.UNKNOWN_LEADER_EPOCH,
        None,
    )
    assert patiently(ask, pause_s=0) == "0 left"


def test_any_other_error_is_one_at_once() -> None:
    with pytest.raises(KafkaException, match="AUTHORIZATION_FAILED"):
        patiently(answers(KafkaError.TOPIC_AUTHORIZATION_FAILED, None), pause_s=0)


def test_patience_ends() -> None:
    with pytest.raises(KafkaException, match="NOT_LEADER"):
        patiently(answers(*[KafkaError.NOT_LEADER_FOR_PARTITION] * 2), timeout_s=-1, pause_s=0)
