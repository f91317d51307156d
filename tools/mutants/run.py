"""``make mutants``: break one rule at a time and see who notices: the unit tests that guard the
rule, and the seeds with their audit.

Each mutant is applied to HEAD in a temporary git worktree, so work that is not committed takes no
part. The mutant runs its named unit tests (until the first fails) and random histories with the
audit (until the first with a finding). The audit runs with the mutant's reducers, as it would in an
installation that has the bug: what it still finds, it finds from the facts. It ends with a table,
and with exit code 1 if a mutant survives both or its patch does not apply.

    python tools/mutants/run.py --seeds 40 --only merge --json mutants.json
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MANIFEST = HERE / "mutants.yaml"
_FINDING = re.compile(r"^seed (\d+): ([\w-]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A small change that breaks a rule. ``tests``: the unit tests that guard it."""

    name: str
    zone: str
    breaks: str
    tests: tuple[str, ...]

    @property
    def patch(self) -> Path:
        """The change."""
        return HERE / "patches" / f"{self.name}.patch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Who noticed. ``unit``: the first test that failed; ``seed``: the first seed with a finding,
    and ``invariants`` what was found in it; each None where nobody noticed. ``applied``: False
    where the patch does not fit the code any more."""

    name: str
    applied: bool
    unit: str | None = None
    seed: int | None = None
    invariants: tuple[str, ...] = ()

    @property
    def noticed(self) -> bool:
        """Whether anybody did."""
        return self.unit is not None or self.seed is not None


def read_manifest() -> list[Mutant]:
    """All mutants in the order of the manifest."""
    rows = YAML(typ="safe", pure=True).load(MANIFEST.read_text())
    return [
        Mutant(name=row["name"], zone=row["zone"], breaks=row["breaks"], tests=tuple(row["tests"]))
        for row in rows
    ]


@contextmanager
def worktree() -> Iterator[Path]:
    """HEAD, checked out beside the working tree for a while."""
    with tempfile.TemporaryDirectory(prefix="baton-mutant-") as folder:
        tree = Path(folder) / "tree"
        _git("worktree", "add", "--quiet", "--detach", str(tree), "HEAD")
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["git", *arguments], cwd=cwd, check=True, capture_output=True, text=True)


def judged(mutant: Mutant, tree: Path, *, units: bool, seeds: int, first: int) -> Outcome:
    """Apply the mutant to the clean ``tree``, run both kinds of tests, and leave the tree clean."""
    try:
        _git("apply", str(mutant.patch), cwd=tree)
    except subprocess.CalledProcessError:
        return Outcome(name=mutant.name, applied=False)
    try:
        unit = _unit(mutant, tree) if units else None
        seed, invariants = _seeds(tree, seeds, first)
    finally:
        _git("checkout", "--quiet", "--", ".", cwd=tree)
    return Outcome(name=mutant.name, applied=True, unit=unit, seed=seed, invariants=invariants)


def _python(tree: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = os.environ | {
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def _unit(mutant: Mutant, tree: Path) -> str | None:
    plugins = ("-p", "no:cacheprovider", "-p", "tools.mutants.first_failure")
    done = _python(tree, "pytest", "-x", "-q", "--no-header", *plugins, *mutant.tests)
    if done.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode != 1 or failed is None:
        raise RuntimeError(
            f"the tests of {mutant.name} could not be "
            f"run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return failed[1]


def _seeds(tree: Path, seeds: int, first: int) -> tuple[int | None, tuple[str, ...]]:
    if not seeds:
        return None, ()
    done = _python(
        tree,
        "tests.simulation.seeds",
        "--seeds",
        str(seeds),
        "--first",
        str(first),
        "--workers",
        "1",
        "--until-one-fails",
    )
    found = _FINDING.findall(done.stdout)
    if done.returncode and not found and "1 failed" not in done.stdout:
        raise RuntimeError(
            f"the seeds could not be run:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )
    return (int(found[0][0]) if found else None), tuple(dict.fromkeys(name for _, name in found))


def table_of(mutants: Sequence[Mutant], outcomes: Sequence[Outcome]) -> str:
    """Who caught what, as Markdown."""
    rules = {mutant.name: mutant.breaks for mutant in mutants}
    lines = [
        "| mutant | breaks the rule | unit tests | seeds with the audit |",
        "|---|---|---|---|",
    ]
    for outcome in outcomes:
        if not outcome.applied:
            lines.append(f"| {outcome.name} | {rules[outcome.name]} | patch does not apply | |")
            continue
        unit = "yes" if outcome.unit else "no"
        seeds = "no" if outcome.seed is None else ", ".join(outcome.invariants)
        lines.append(f"| {outcome.name} | {rules[outcome.name]} | {unit} | {seeds} |")
    return "\n".join(lines)


def main() -> int:
    """Run those asked for; exit 1 if one survives or does not apply."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seeds", type=int, default=40, help="random histories a mutant; 0: unit tests only"
    )
    parser.add_argument("--no-unit", action="store_true", help="seeds only")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument(
        "--only", default="", help="those whose name has this in it, or several, with commas"
    )
    parser.add_argument(
        "--json",
        type=Path,
        help="write the outcomes there, and go on from those that it has already",
    )
    asked = parser.parse_args()
    mutants = [
        mutant
        for mutant in read_manifest()
        if any(part in mutant.name for part in asked.only.split(","))
    ]
    known = json.loads(asked.json.read_text()) if asked.json and asked.json.exists() else []
    outcomes = {
        row["name"]: Outcome(**row | {"invariants": tuple(row["invariants"])}) for row in known
    }
    with worktree() as tree:
        for number, mutant in enumerate(mutants, start=1):
            if mutant.name not in outcomes:
                print(f"{number}/{len(mutants)} {mutant.name}", file=sys.stderr, flush=True)
                outcomes[mutant.name] = judged(
                    mutant, tree, units=not asked.no_unit, seeds=asked.seeds, first=asked.first
                )
                if asked.json:
                    asked.json.write_text(
                        json.dumps([asdict(outcome) for outcome in outcomes.values()], indent=1)
                    )
    ran = [outcomes[mutant.name] for mutant in mutants]
    print(table_of(mutants, ran))
    unit, seeds = (
        sum(getattr(outcome, name) is not None for outcome in ran) for name in ("unit", "seed")
    )
    left = [outcome.name for outcome in ran if not outcome.noticed]
    print(
        f"\n{len(ran)} mutants: unit tests caught {unit}, seeds with the audit {seeds}; nobody "
        f"caught {len(left)}"
    )
    print("\n".join(f"  {name}" for name in left))
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
