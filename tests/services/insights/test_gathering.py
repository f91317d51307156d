"""How much goes into one transaction of the board: little while it keeps up, much while it does
not."""

from __future__ import annotations

from dataclasses import dataclass, field

from baton.contracts.public_record import PublicRecord
from services.insights.projection.gathering import GATHER_S, Gathering


def record(number: int) -> PublicRecord:
    return PublicRecord(
        topic="leads.acts.v1",
        partition=0,
        offset=number,
        id=f"f{number}",
        key="",
        value=None,
        at_ms=-number,
    )


@dataclass
class Log:
    """Gives ``arrivals`` one after the other, each after the time that it took."""

    arrivals: list[int]
    caught_up: bool = True
    now_s: float = 0.0
    given: int = 0
    asked: list[int] = field(default_factory=list)

    def take(
        self, at_most: int, wait_s: float
    ) -> tuple[list[PublicRecord], dict[tuple[str, int], int]]:
        number = min(at_most, self.arrivals.pop(0)) if self.arrivals else 0
        self.asked.append(number)
        self.now_s += wait_s if number < at_most else 0.001
        found = [record(self.given + place) for place in range(number)]
        self.given += number
        return found, {("leads.acts.v1", 0): self.given}


def taken(log: Log, wrote_s: float = 0.0, *, ended: bool = False) -> tuple[int, int]:
    """How many records were given, in how many requests."""
    gathering = Gathering(log, lambda: ended, lambda: log.now_s)
    gathering.wrote(wrote_s)
    log.asked.clear()
    batch, following = gathering.take()
    assert [one.at_ms for one in batch] == sorted(one.at_ms for one in batch)
    assert following == {("leads.acts.v1", 0): log.given}
    return len(batch), len(log.asked)


def test_a_board_that_keeps_up_writes_what_came_within_one_wait() -> None:
    assert taken(Log([900, 900, 900]), GATHER_S / 4) == (900, 1)


def test_where_writing_takes_long_more_is_gathered_but_not_for_ever() -> None:
    assert taken(Log([900] * 9), 0.3) == (2_700, 3)
    assert taken(Log([900] * 9), 60.0) == (3_600, 4)


def test_a_lone_record_waits_once_however_long_the_last_transaction_took() -> None:
    assert taken(Log([1, 1, 1]), 60.0) == (1, 1)
    assert taken(Log([900, 1, 900]), 60.0) == (901, 2)


def test_a_board_that_is_behind_takes_much_at_once_and_no_more_than_its_fill() -> None:
    assert taken(Log([2_000] * 9, caught_up=False)) == (8_000, 4)
    assert taken(Log([2_000, 700, 2_000], caught_up=False)) == (2_700, 2)
    assert taken(Log([2_000] * 9)) == (8_000, 4)


def test_one_that_is_to_end_gathers_no_longer() -> None:
    assert taken(Log([2_000] * 9), ended=True) == (2_000, 1)
