"""Rates of reads: the service against the limit and against the designs others would write, interleaved in one run."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import statistics
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from service.embedded import embedded
from service.migrate import migrate
from service.seeding import read_seeds, seed
from service.world.rows import Country, Mineral
from tests.bench.load import Rate, load, serving, warm

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
DISTINCT = 2000


@dataclass(frozen=True)
class Row:
    """One line of the table: a measured ratio, its spread over the rounds, and the bar it is held to."""

    what: str
    ratio: float
    low: float
    high: float
    bar: str
    detail: str


@contextlib.contextmanager
def seeded() -> Iterator[str]:
    """A Postgres of its own with the shipped evidence."""
    folder = tempfile.mkdtemp(prefix="chokepoint-bench-")
    Path(folder).chmod(0o711)
    with embedded(Path(folder) / "home") as dsn:
        asyncio.run(_fill(dsn))
        yield dsn


async def _fill(dsn: str) -> None:
    await migrate(dsn)
    await seed(dsn)


def paths(count: int, seed_number: int = 1) -> list[str]:
    """Distinct URLs of scores: minerals, buyers and days drawn by chance, the same every time."""
    rows = list(read_seeds())
    minerals = [row.id for row in rows if isinstance(row, Mineral)]
    buyers = [row.code for row in rows if isinstance(row, Country)] + ["EU", "G7", "MSP"]
    every = itertools.product(
        minerals, buyers, [f"{year}-{month:02}-15" for year in (2025, 2026) for month in range(1, 11)]
    )
    chosen = random.Random(seed_number).sample(sorted(every), count)  # noqa: S311 - a choice of URLs
    return [f"/v1/minerals/{m}/score?buyer={b}&as_of={day}" for m, b, day in chosen]


def measure() -> list[Row]:
    """All rates, interleaved over the rounds."""
    hot, fresh = paths(DISTINCT), paths(400_000, seed_number=2)
    with contextlib.ExitStack() as stack:
        dsn = stack.enter_context(seeded())
        env = {"CHOKEPOINT_DATABASE_URL": dsn}
        service = stack.enter_context(serving("service.app:app_from_env", env, factory=True, probe="/health/ready"))
        unchanged, size = warm(service, hot)
        env["BENCH_BYTES"] = str(size)
        limit = stack.enter_context(serving("tests.bench.peers.constant:app", env))
        naive = stack.enter_context(serving("tests.bench.peers.naive:app", env, probe="/docs"))
        querying = stack.enter_context(serving("tests.bench.peers.querying:app", env))
        handler = stack.enter_context(serving("tests.bench.peers.handler:app", env))
        runs: dict[str, list[Rate]] = {}
        at = 0
        for _ in range(ROUNDS):
            runs.setdefault("limit", []).append(load(limit, hot, SECONDS))
            runs.setdefault("hot", []).append(load(service, hot, SECONDS))
            runs.setdefault("304", []).append(load(service, unchanged, SECONDS))
            runs.setdefault("naive", []).append(load(naive, hot, SECONDS))
            runs.setdefault("querying", []).append(load(querying, hot, SECONDS))
            runs.setdefault("handler", []).append(load(handler, hot, SECONDS))
            share = len(fresh) // ROUNDS
            runs.setdefault("first", []).append(load(service, fresh[at : at + share], SECONDS))
            at += share
    return [
        _row("repeated score, open reads, against the limit", runs["hot"], runs["limit"], "≥ 0.80"),
        _row("304 answers against the limit", runs["304"], runs["limit"], "≥ 0.80"),
        _row("repeated score against FastAPI + pydantic + SQLAlchemy", runs["hot"], runs["naive"], "≥ 25"),
        _row("repeated score against Litestar + asyncpg, a query per request", runs["hot"], runs["querying"], ""),
        _row("first-time score against a constant Litestar handler", runs["first"], runs["handler"], "≥ 0.35"),
    ]


def _row(what: str, ours: list[Rate], theirs: list[Rate], bar: str) -> Row:
    ratios = sorted(a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True))
    per_second = statistics.median(rate.per_second for rate in ours)
    other = statistics.median(rate.per_second for rate in theirs)
    detail = f"{per_second:,.0f}/s against {other:,.0f}/s, p99 {statistics.median(r.p99_ms for r in ours):.2f} ms"
    return Row(what, statistics.median(ratios), ratios[0], ratios[-1], bar, detail)


if __name__ == "__main__":
    for row in measure():
        print(f"{row.what:65} {row.ratio:8.2f}  ({row.low:.2f}…{row.high:.2f})  {row.bar:8} {row.detail}")
