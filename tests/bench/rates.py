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
from pathlib import Path

import asyncpg

from service.embedded import embedded
from service.migrate import migrate
from service.seeding import read_seeds, seed
from service.settings import Secret
from service.store import keys
from service.world.rows import Country, Mineral
from tests.bench.load import Rate, load, serving, warm
from tests.bench.row import ROUNDS, Row, row_of

SECONDS = int(os.environ.get("BENCH_SECONDS", "3"))
DISTINCT = 2000
FRESH = 400_000
"""How many distinct questions are asked again and again, and how many are at hand to be asked once."""

SECRET = "a secret that only this run knows of"  # noqa: S105


@contextlib.contextmanager
def seeded() -> Iterator[str]:
    """A Postgres of its own with the shipped evidence."""
    with tempfile.TemporaryDirectory(prefix="chokepoint-bench-") as folder:
        Path(folder).chmod(0o711)
        with embedded(Path(folder) / "home") as dsn:
            asyncio.run(_fill(dsn))
            yield dsn


async def _fill(dsn: str) -> None:
    await migrate(dsn)
    await seed(dsn)


async def _key(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    _, presented = await keys.create(connection, Secret(SECRET.encode()), "bench", "read")
    await connection.close()
    return presented


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


def ladders(count: int, step: str = "memorandum") -> list[str]:
    """Distinct URLs of scores by a ladder of the asker's own: another value for one of its steps in each."""
    return [f"{path}&ladder={step}:{1 - place / 1e6:.6f}" for place, path in enumerate(paths(count, seed_number=3))]


def measure() -> list[Row]:
    """All rates, interleaved over the rounds."""
    hot = paths(DISTINCT)
    once = {"first": paths(FRESH, seed_number=2), "ladder": ladders(FRESH), "every": ladders(FRESH, step="none")}
    with contextlib.ExitStack() as stack:
        dsn = stack.enter_context(seeded())
        key = asyncio.run(_key(dsn))
        env = {"CHOKEPOINT_DATABASE_URL": dsn, "CHOKEPOINT_SECRET": SECRET, "CHOKEPOINT_RATE_LIMIT": "1000000/1"}
        env["OPENBLAS_NUM_THREADS"] = "1"  # as the program has it

        def start(target: str, **more: str) -> str:
            own = target.startswith("service.")
            return stack.enter_context(
                serving(target, env | more, factory=own, probe="/health/ready" if own else "/docs")
            )

        service = start("service.app:app_from_env")
        keyed = start("service.app:app_from_env", CHOKEPOINT_READS="keyed")
        # new answers of one kind do not push out what is kept of another
        fresh = {name: start("service.app:app_from_env") for name in once}
        unchanged, size = warm(service, hot)
        warm(keyed, hot, key)
        limit = start("tests.bench.peers.constant:app", BENCH_BYTES=str(size))
        naive = start("tests.bench.peers.naive:app")
        querying = start("tests.bench.peers.querying:app")
        handler = start("tests.bench.peers.handler:app", BENCH_BYTES=str(size))
        runs: dict[str, list[Rate]] = {}

        def run(name: str, base: str, asked: list[str], presented: str | None = None) -> None:
            runs.setdefault(name, []).append(load(base, asked, SECONDS, presented))

        for turn in range(ROUNDS):
            run("limit", limit, hot)
            run("hot", service, hot)
            run("keyed", keyed, hot, key)
            run("304", service, unchanged)
            run("naive", naive, hot)
            run("querying", querying, hot)
            for name, asked in once.items():
                run(f"handler beside {name}", handler, hot)
                run(name, fresh[name], asked[turn * FRESH // ROUNDS : (turn + 1) * FRESH // ROUNDS])
    new = {name: (runs[name], runs[f"handler beside {name}"]) for name in once}
    return [
        _row("repeated score, open reads, against the limit", runs["hot"], runs["limit"], "≥ 0.80"),
        _row("repeated score, keyed reads, against the limit", runs["keyed"], runs["limit"], "≥ 0.65"),
        _row("304 answers against the limit", runs["304"], runs["limit"], "≥ 0.80"),
        _row("repeated score against FastAPI + pydantic + SQLAlchemy", runs["hot"], runs["naive"], "≥ 25"),
        _row("repeated score against Litestar + asyncpg, a query per request", runs["hot"], runs["querying"], ""),
        _row("first-time score against a constant Litestar handler", *new["first"], "≥ 0.35"),
        _row("first-time score by a ladder of one's own against the same", *new["ladder"], "≥ 0.35"),
        _row("first-time score by a ladder that changes every supplier", *new["every"], "≥ 0.35"),
    ]


def _row(what: str, ours: list[Rate], theirs: list[Rate], bar: str) -> Row:
    ratios = [a.per_second / b.per_second for a, b in zip(ours, theirs, strict=True)]
    per_second = statistics.median(rate.per_second for rate in ours)
    other = statistics.median(rate.per_second for rate in theirs)
    detail = f"{per_second:,.0f}/s against {other:,.0f}/s, p99 {statistics.median(r.p99_ms for r in ours):.2f} ms"
    return row_of(what, ratios, bar, detail)


if __name__ == "__main__":
    for row in measure():
        print(row)
