"""Staleness: how long after a commit every worker answers from it, while all of them are busy (Linux only).

Run: python -m tests.bench.bench_staleness     (BENCH_COMMITS, 100: commits at moments of chance)

Workers share a port, and the kernel deals connections out to them. So connections are opened until every worker has
one; whose a connection is, the sockets tell that each process holds. Each worker is then asked for one score again and
again. A commit is seen by a worker when an answer that names its revision has arrived, and it is timed from the moment
the writer was told that it stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import statistics
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec
import psutil

from service.store.evidence import TABLES
from service.store.ledger import revise
from service.world.rows import Agreement, Governance, Restriction, Row, Share
from tests.bench import row as bench
from tests.bench.load import load, warm
from tests.bench.rates import paths, seeded
from tests.serving import program

COMMITS = int(os.environ.get("BENCH_COMMITS", "100"))
WORKERS = 2
KINDS: tuple[type[Row], ...] = (Agreement, Share, Restriction, Governance)
"""What is corrected, in turn; shares are what most has to be worked out anew for."""
PAUSE = (0.5, 1.5)
"""Seconds between a commit that all have seen and the next."""
DISTINCT = 200
"""Scores that are asked for under load; each worker works them out anew after every commit."""
POLL = 0.001
"""Seconds between two questions to a worker: what is measured is late by this and an answer at most."""
GIVEN_UP = 60.0
ASKED = "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05"


@dataclass
class Watch:
    """One worker, asked over a connection of its own: when it first showed each revision, and its slowest answer."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    pid: int
    seen: dict[int, float] = field(default_factory=dict)
    slowest: float = 0.0

    async def ask(self) -> None:
        """Asks once."""
        begun = time.perf_counter()
        self.writer.write(f"GET {ASKED} HTTP/1.1\r\nHost: bench\r\n\r\n".encode())
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None, head
        body = await self.reader.readexactly(int(length[1]))
        now = time.perf_counter()
        self.slowest = max(self.slowest, now - begun)
        self.seen.setdefault(msgspec.json.decode(body)["known_at"], now)

    async def keep_asking(self) -> None:
        """Asks for ever."""
        while True:
            await self.ask()
            await asyncio.sleep(POLL)

    async def shows(self, revision: int) -> float:
        """When the revision, or a newer one, was first seen."""
        async with asyncio.timeout(GIVEN_UP):
            while True:
                found = [when for number, when in self.seen.items() if number >= revision]
                if found:
                    return min(found)
                await asyncio.sleep(POLL)


@contextlib.asynccontextmanager
async def watching(base: str, parent: psutil.Process, workers: int) -> AsyncIterator[list[Watch]]:
    """A connection to each worker, all of them asked as long as the block runs."""
    found: dict[int, Watch] = {}
    parts = urlsplit(base)
    for _ in range(100):
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        watch = Watch(reader, writer, 0)
        await watch.ask()  # now somebody has taken it
        watch.pid = _holder(parent, writer.get_extra_info("sockname")[1])
        if watch.pid in found:
            writer.close()
        found.setdefault(watch.pid, watch)
        if len(found) == workers:
            break
    else:
        raise TimeoutError("the kernel deals no connection to some worker")
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(watch.keep_asking()) for watch in found.values()]
        try:
            yield list(found.values())
        finally:
            for task in tasks:
                task.cancel()


def _holder(parent: psutil.Process, port: int) -> int:
    """The worker at the other end of a connection from a local port."""
    for worker in parent.children():
        if any(each.raddr and each.raddr.port == port for each in worker.net_connections("tcp")):
            return worker.pid
    raise LookupError(f"no worker holds the connection from port {port}")


@contextlib.contextmanager
def busy(base: str) -> Iterator[None]:
    """Asks all workers for scores as fast as they answer while the block runs; every swap makes them work out anew."""
    over = threading.Event()
    hot = paths(DISTINCT)
    warm(base, hot)

    def ask() -> None:
        while not over.is_set():
            load(base, hot, 2, apart=True)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True)
class Found:
    """Milliseconds from each commit to each worker's first answer from it, and a worker's slowest answer meanwhile."""

    ms: list[float]
    by_kind: dict[str, float]
    slowest: float

    def row(self, what: str, bar: str) -> bench.Row:
        """The line of the table: the 99th percentile, between the median and the largest."""
        ordered = sorted(self.ms)
        p99 = ordered[min(len(ordered) - 1, round(0.99 * len(ordered)))]
        kinds = ", ".join(f"{kind} {value:.0f}" for kind, value in self.by_kind.items())
        detail = (
            f"p99, beside it median and largest, of {len(self.ms)}; {WORKERS} workers, both kept busy; "
            f"largest by kind: {kinds}; slowest answer meanwhile {self.slowest:.0f} ms"
        )
        return bench.Row(what, p99, statistics.median(ordered), ordered[-1], bar, detail, "ms")


async def commits(dsn: str, base: str, parent: psutil.Process, count: int) -> Found:
    """Commits so often, at moments of chance."""
    chance = random.Random(3)  # noqa: S311
    found: dict[str, list[float]] = {}
    connection = await asyncpg.connect(dsn)
    async with watching(base, parent, WORKERS) as watches:
        for number in range(count):
            await asyncio.sleep(chance.uniform(*PAUSE))
            kind = KINDS[number % len(KINDS)]
            revision = await _correct(connection, kind, number)
            stands = time.perf_counter()
            for watch in watches:
                found.setdefault(kind.kind, []).append(max(0.0, await watch.shows(revision) - stands) * 1e3)
        slowest = max(watch.slowest for watch in watches) * 1e3
    await connection.close()
    return Found(
        [each for several in found.values() for each in several],
        {kind: max(several) for kind, several in found.items()},
        slowest,
    )


async def _correct(connection: Any, kind: type[Row], number: int) -> int:
    """A revision that corrects the note of one row that stands."""
    record = await connection.fetchrow(f"{TABLES[kind.kind].standing()} limit 1")
    values = {name: record[name] for name in kind.__struct_fields__}
    row = msgspec.convert({**values, "note": f"corrected {number} {time.time()}"}, kind, strict=False)
    async with revise(connection, author="bench", reason="a correction") as draft:
        await draft.observe([row])
    assert draft.revision is not None
    return draft.revision.id


def staleness(dsn: str, count: int) -> Found:
    """Of a program on a filled database."""
    with program(dsn, workers=str(WORKERS)) as (base, parent), busy(base):
        return asyncio.run(commits(dsn, base, parent, count))


def measure() -> list[bench.Row]:
    """With the shipped evidence."""
    with seeded() as dsn:
        return [staleness(dsn, COMMITS).row("commit to visible in every worker, under load", "≤ 100")]


if __name__ == "__main__":
    for each in measure():
        print(each)
