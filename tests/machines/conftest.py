"""One set of machines for all tests here, and a report of what was checked on them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.machines.cluster import Machines, machines

LINES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Machines]:
    """Three replicas, balancer, primary and standby, at the shipped evidence."""
    with machines() as several:
        await several.set_up()
        yield several


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> list[str]:
    """Lines that are printed at the end of the run."""
    return request.config.stash.setdefault(LINES, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the report."""
    for line in config.stash.get(LINES, []):
        terminalreporter.write_line(f"machines: {line}")
