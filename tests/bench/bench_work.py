"""What work takes in one worker: ranking all minerals for a new buyer, the memory of a worker, and a warm start.

Run: python -m tests.bench.bench_work
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from service.seeding import read_seeds
from service.world.memo import Memo
from service.world.rows import Country
from service.world.scoring import score_all
from service.world.sheet import sheet_on
from tests.bench.load import free_port, load, warm
from tests.bench.rates import SECONDS, paths, seeded
from tests.bench.row import ROUNDS, Row, row_of
from tests.evidence import world_of
from tests.serving import program

DAY = date(2026, 2, 5)
ASKED = "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05&known_at=1"
MIB = 1024 * 1024


def ranking() -> Row:
    """All minerals for a buyer nobody has asked about, intervals included, on a World just built as a worker does."""
    rows = list(read_seeds())
    world = world_of(rows)
    buyers = [row.code for row in rows if isinstance(row, Country)]
    seconds = []
    for buyer in random.Random(1).sample(buyers, 8 * ROUNDS):  # noqa: S311 - a choice of buyers
        fresh = replace(world, memo=Memo())
        _ = sheet_on(fresh, DAY).sample
        begun = time.process_time()
        score_all(fresh, buyer, DAY)
        seconds.append((time.process_time() - begun) * 1e3)
    detail = f"CPU time in one process, {len(seconds)} buyers, each the first one on a World of its own"
    return row_of("all minerals ranked for a new buyer", seconds, "≤ 10", detail, "ms")


def memory() -> Row:
    """What a worker takes alone, with the shipped evidence and after some thousand distinct answers."""
    hot = paths(2000)
    with seeded() as dsn, program(dsn) as (base, parent):
        (worker,) = [each for each in parent.children() if "spawn_main" in " ".join(each.cmdline())]
        before = worker.memory_full_info().uss / MIB
        warm(base, hot)
        load(base, hot, SECONDS)
        after = worker.memory_full_info().uss / MIB
    detail = f"{before:.0f} MiB before; unique set size, shipped evidence, 2,000 distinct answers kept"
    return row_of("memory of a worker", [after], "", detail, "MiB")


@contextlib.contextmanager
def serving(settings: Mapping[str, str]) -> Iterator[tuple[float, bytes]]:
    """The program from its start to its first answer: seconds, and that answer."""
    port = free_port()
    env = {**os.environ, **settings, "CHOKEPOINT_PORT": str(port), "CHOKEPOINT_LOG_LEVEL": "critical"}
    begun = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "service", "serve"], env=env, stdout=subprocess.DEVNULL) as process:
        try:
            body = _first_answer(port)
            yield time.perf_counter() - begun, body
        finally:
            process.terminate()


def _first_answer(port: int) -> bytes:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        try:
            connection.request("GET", ASKED)
            answer = connection.getresponse()
            if answer.status == 200:
                return answer.read()
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    raise TimeoutError("no answer within two minutes")


def starts() -> list[Row]:
    """From the command to the first right answer, which is to the byte what another start has answered."""
    taken: dict[str, list[float]] = {"embedded": [], "running": []}
    with tempfile.TemporaryDirectory(prefix="chokepoint-bench-") as name, seeded() as dsn:
        Path(name).chmod(0o711)
        ways = {"embedded": {"CHOKEPOINT_HOME": str(Path(name) / "home")}, "running": {"CHOKEPOINT_DATABASE_URL": dsn}}
        right = {}
        for way, settings in ways.items():
            with serving(settings) as (_, body):
                right[way] = body
        for _ in range(ROUNDS):
            for way, settings in ways.items():
                with serving(settings) as (seconds, body):
                    assert body == right[way], "two starts answer differently"
                    taken[way].append(seconds)
    return [
        row_of("warm start to the first answer, embedded Postgres", taken["embedded"], "≤ 1.5", "one worker", "s"),
        row_of("warm start to the first answer, running Postgres", taken["running"], "≤ 1.5", "one worker", "s"),
    ]


def measure() -> list[Row]:
    """All of it."""
    return [ranking(), *starts(), memory()]


if __name__ == "__main__":
    for row in measure():
        print(row)
