"""A pytest plugin: tests that may be skipped on a machine that lacks what they need must run where
BATON_TESTS_MUST_RUN names their markers, ``browser,postgres``. A skipped one then fails the run."""

from __future__ import annotations

import os
from typing import Any

import pytest

ENVIRONMENT = "BATON_TESTS_MUST_RUN"
_skipped: dict[str, str] = {}


def _wanted() -> set[str]:
    return set(filter(None, os.environ.get(ENVIRONMENT, "").split(",")))


def pytest_runtest_logreport(report: Any) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and _wanted() & set(report.keywords):
        _skipped[report.nodeid] = _why(report)


def pytest_collectreport(report: Any) -> None:
    """A whole module that skips itself has no markers any more, so any of them counts."""
    if report.skipped and _wanted():
        _skipped[report.nodeid] = _why(report)


def _why(report: Any) -> str:
    return str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else "no reason"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for why in sorted(set(_skipped.values())):
        number = sum(skipped == why for skipped in _skipped.values())
        terminalreporter.write_line(f"{number} tests must run and were skipped: {why}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
