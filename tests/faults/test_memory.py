"""A worker is not given the memory it asks for: what it was at fails as a whole, and the service goes on."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.faults.checked import ROUNDS, serving
from tests.faults.killing import state
from tests.faults.test_killed_writes import ask, edition, fetched, until_answered
from tests.faults.test_workers import asked_once, workers

MARGINS = (0, 16)
"""MiB of memory that are left to a worker."""
YEARS = range(2019, 2025)


async def test_a_write_that_runs_out_of_memory_is_wholly_there_or_wholly_absent(
    served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the worker refuses it or dies of it; with memory again, by then or by its successor, it succeeds."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    outcomes = []
    with serving(served, workers=1) as server:
        for number, margin in enumerate(MARGINS * ROUNDS):
            posted = edition(number, tmp_path, YEARS)
            [worker] = workers(server)
            worker.rlimit(resource.RLIMIT_DATA, (worker.memory_info().data + margin * 2**20, resource.RLIM_INFINITY))
            answer = ask(server, posted)
            for each in workers(server):
                each.rlimit(resource.RLIMIT_DATA, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            there = await fetched(served, posted.there)
            assert there == (answer is not None and answer.status == 201) or answer is None
            assert answer is None or answer.status in (201, 500, 503), answer
            outcomes.append("cut" if answer is None else str(answer.status))
            await until_answered(server, posted)
            assert await fetched(served, posted.there) == 1
            assert asked_once(server, "/v1/minerals/cobalt/score?buyer=USA").status == 200
        await state(served)
    print(f"{len(outcomes)} imports short of memory: {outcomes}")
    assert set(outcomes) - {"201"}, "memory never ran out"
