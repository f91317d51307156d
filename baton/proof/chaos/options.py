"""The words after ``python -m baton.proof.chaos``."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from baton.local.up.preparing import example_agreement
from baton.proof.chaos.order import Order

_EVENTS_A_SECOND, _SECONDS_A_FAULT, _SHORTEST_S = 400, 10, 60
_ABOUT = """\
Run a whole Baton under load and faults on brokers of its own, then audit it. Exit 1 if anything is
not as promised.

The faults: kill -9 of workers and gateways, processes stopped beyond their session and continued,
rolling restarts, rebalance storms, a broker killed or frozen, an agreement published in the middle;
with several brokers also the network cut between one and the others. The load comes over HTTP and
by the inbox, is sent again where no answer came, has duplicates, disorder and about one per cent of
rubbish in it; it waits while the system is too far behind, and the faults with it. Files go to a
new folder in the temporary directory (TMPDIR): about 4 KB an event and broker.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``order``: what is to be done. ``as_json``: the outcome as one JSON document."""

    order: Order
    as_json: bool


def options_of(words: Sequence[str]) -> Options:
    """Raises SystemExit with the usage."""
    given = _parser().parse_args(words)
    seconds = given.seconds or max(
        _SHORTEST_S, given.events / _EVENTS_A_SECOND, given.kills * _SECONDS_A_FAULT
    )
    order = Order(
        agreement=example_agreement().with_name("demo.yaml"),
        kills=given.kills,
        events=given.events,
        seconds=seconds,
        seed=given.seed,
        workers=given.workers,
        partitions=given.partitions,
        keep=given.keep,
        brokers=given.brokers,
        former=given.former,
        backup=given.backup,
        on_disk=given.disk,
    )
    if order.backup and order.brokers > 1:
        _parser().error("--backup is of one broker: leave --brokers out")
    return Options(order=order, as_json=given.json)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m baton.proof.chaos", description=_ABOUT)
    number = parser.add_argument
    number("--kills", type=_From(1), default=40, help="how many faults (40)")
    number("--events", type=_From(10), default=20_000, help="how many lines come in (20000)")
    number(
        "--seconds",
        type=_From(10),
        help="over how long, if the system keeps up; by default as the events and faults want it",
    )
    number("--seed", type=int, default=1, help="the same seed plans the same faults (1)")
    number("--workers", type=_From(1), default=2, help="processes a service (2)")
    number("--partitions", type=_From(1), default=4, help="partitions of the topics (4)")
    number("--brokers", type=_From(1), default=1, help="1, or 3 that keep three copies (1)")
    number(
        "--former",
        type=_root,
        metavar="DIRECTORY",
        help="begin with the version whose packages lie there, and upgrade on the way",
    )
    number("--backup", action="store_true", help="stop, back up, delete and restore on the way")
    number("--disk", action="store_true", help="workers keep their state on disk: BATON_STATE_DIR")
    number("--keep", action="store_true", help="keep the brokers' data, the ledger and the logs")
    number("--json", action="store_true", help="the outcome as one JSON document")
    return parser


class _From:
    """A whole number from ``least`` on."""

    def __init__(self, least: int) -> None:
        self._least = least

    def __call__(self, text: str) -> int:
        if not text.isdigit() or int(text) < self._least:
            raise ArgumentTypeError(f"expected a whole number from {self._least} on: {text}")
        return int(text)


def _root(text: str) -> Path:
    root = Path(text).resolve()
    if not (root / "baton" / "cli" / "main.py").is_file():
        raise ArgumentTypeError(f"{root}: has no baton/cli/main.py; give the root of a checkout")
    return root
