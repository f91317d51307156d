"""A worker's clock is read in one place, which the tests replace: a clock that jumps in a test is
one that jumps in a process."""

import re
from pathlib import Path

ENGINE = Path(__file__).resolve().parents[2] / "baton" / "engine"
WALL_CLOCK = re.compile(
    r"\btime\.time(?:_ns)?\(|\bdatetime\.(?:now|utcnow|today)\(|\bdate\.today\("
)


def test_the_engine_reads_the_wall_clock_in_one_place() -> None:
    found = {
        str(file.relative_to(ENGINE)): len(WALL_CLOCK.findall(file.read_text(encoding="utf-8")))
        for file in sorted(ENGINE.rglob("*.py"))
    }
    assert {file: times for file, times in found.items() if times} == {"kafka/broker_clock.py": 1}
