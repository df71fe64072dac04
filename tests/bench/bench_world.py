"""The World at a million share rows: building it, the memory it takes, hot reads and commits beside it (Linux only).

Run: python -m tests.bench.bench_world     (BENCH_ROWS, 1,000,000 shares that stand; BENCH_MANY_COMMITS, 12)

See `many` for what the ledger is like. Fetching is what anybody would do: asyncpg's fetch of all columns of the shares
that stand. Building is everything from the empty worker to the World it serves, today's draws included.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import asyncpg
import psutil

from service.embedded import embedded
from service.http.building import build_warm
from service.store import reading
from service.store.evidence import SHARE_SETS, TABLES
from service.world.size import bytes_of_rows
from tests.bench.bench_staleness import staleness
from tests.bench.load import load, warm
from tests.bench.many import Mix, fill
from tests.bench.rates import SECONDS, paths
from tests.bench.row import ROUNDS, Row, row_of
from tests.serving import program

if TYPE_CHECKING:
    from service.store.ledger import Connection

FEW = 10_000
MANY = int(os.environ.get("BENCH_ROWS", "1000000"))
COMMITS = int(os.environ.get("BENCH_MANY_COMMITS", "12"))
DISTINCT = 2000
MIB = 1024 * 1024


@contextlib.contextmanager
def ledgers() -> Iterator[tuple[str, str, Mix]]:
    """A Postgres of its own with the two ledgers: few shares and many."""
    with tempfile.TemporaryDirectory(prefix="chokepoint-bench-") as folder:
        Path(folder).chmod(0o711)
        with embedded(Path(folder) / "home") as server:
            few, many = (asyncio.run(_database(server, name)) for name in ("few", "many"))
            asyncio.run(fill(few, FEW))
            yield few, many, asyncio.run(fill(many, MANY))


async def _database(server: str, name: str) -> str:
    connection = await asyncpg.connect(server)
    await connection.execute(f"create database {name}")
    await connection.close()
    return urlsplit(server)._replace(path=f"/{name}").geturl()


async def _seconds(connection: Connection, statement: str, number: int) -> float:
    """How long the rows of a statement take to arrive; they are let go at once."""
    gc.collect()
    begun = time.perf_counter()
    found = len(await connection.fetch(statement, number))
    taken = time.perf_counter() - begun
    assert found
    return taken


async def building(dsn: str, mix: Mix) -> list[Row]:
    """Building the World against fetching its shares, in turn."""
    connection = await asyncpg.connect(dsn)
    head = await reading.head(connection)
    assert head is not None
    fetching, packed, built, size = [], [], [], 0
    for _ in range(ROUNDS):
        fetching.append(await _seconds(connection, TABLES["share"].at, head.id))
        packed.append(await _seconds(connection, SHARE_SETS, head.id))
        gc.collect()
        begun = time.perf_counter()
        evidence = await reading.evidence(connection, head)
        world = await asyncio.to_thread(build_warm, evidence, None)
        built.append(time.perf_counter() - begun)
        size = bytes_of_rows(evidence)
        del evidence, world
    await connection.close()
    table = f"{mix.standing:,} shares that stand, {mix.superseded:,} superseded, {mix.retracted:,} withdrawn"
    seconds = row_of("", built, "", "")
    alone = row_of("", packed, "", "")
    detail = f"{table}; {seconds.value:.1f} s for everything, {alone.value:.1f} s of it fetching the shares our way"
    return [
        row_of(
            "building a World of a million shares, against fetching these",
            [ours / theirs for ours, theirs in zip(built, fetching, strict=True)],
            "≤ 1.5",
            detail,
        ),
        Row("rows of a World of a million shares", size / MIB, size / MIB, size / MIB, "", "as a World reckons", "MiB"),
    ]


def reads(few: str, many: str) -> list[Row]:
    """Hot reads over many shares against hot reads over few, and what the worker takes then."""
    hot = paths(DISTINCT)
    ratios, tails = [], []
    with program(few) as (small, _), program(many) as (large, parent):
        worker = _worker(parent)
        started = worker.memory_full_info().uss / MIB
        warm(small, hot)
        warm(large, hot)
        for number in range(ROUNDS):
            order = [small, large] if number % 2 else [large, small]
            seen = {base: load(base, hot, SECONDS) for base in order}
            ratios.append(seen[small].per_second / seen[large].per_second)
            tails.append(seen[large].p99_ms)
        after = worker.memory_full_info().uss / MIB
    cost = f"time of a hot read over {MANY:,} shares by that over {FEW:,}; p99 {statistics.median(tails):.2f} ms"
    return [
        row_of("a hot read over a million shares, against ten thousand", ratios, "≤ 1.10", cost),
        row_of("memory of a worker, a million shares", [after], "", f"{started:.0f} MiB after the start; USS", "MiB"),
    ]


def _worker(parent: psutil.Process) -> psutil.Process:
    """The process that answers: of the program's children the largest."""
    return max(parent.children(), key=lambda child: int(child.memory_info().rss))


def measure() -> list[Row]:
    """All of it."""
    with ledgers() as (few, many, mix):
        rows = [*asyncio.run(building(many, mix)), *reads(few, many)]
        return [*rows, staleness(many, COMMITS).row("commit to visible in every worker, a million shares", "")]


if __name__ == "__main__":
    for each in measure():
        print(each)
