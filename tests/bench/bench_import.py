"""Imports of many rows: the rate as a ratio to a raw COPY of the same rows in the same run, and the memory it takes.

`python -m tests.bench.bench_import`; BENCH_ROWS (1,000,000) rows in BENCH_ROUNDS (3) rounds. A round imports the file
into a fresh ledger with the shipped catalog, by the program as its user runs it, and copies the same file by Postgres'
own COPY into a table without index or rule. A tenth of the rows shows whether memory grows with the file (Linux only).
"""

from __future__ import annotations

import asyncio
import csv
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg

from service.embedded import embedded
from service.migrate import migrate
from service.seeding import read_seeds
from service.store.ledger import revise
from service.world.rows import Bloc, Country, Mineral, Row, Share, Source
from tests.commands import takes_no_arguments

ROWS = int(os.environ.get("BENCH_ROWS", "1000000"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SOURCES = ("bench-a", "bench-b")
SUPPLIERS = 20


class Taken(NamedTuple):
    """What an import took: seconds, and the most memory its process had, in MiB."""

    seconds: float
    peak: float


def catalog() -> list[Row]:
    """What shares refer to: the shipped countries, minerals and sources, and two sources of the benchmark's own."""
    rows = [row for row in read_seeds() if isinstance(row, Source | Country | Mineral | Bloc)]
    own = [
        Source(
            id=each, title=each, publisher="", retrieved="2026", licence="", evidence_level="statistics", precedence=900
        )
        for each in SOURCES
    ]
    return [*rows, *own]


def shares() -> Iterator[Share]:
    """Synthetic shares: every source, mineral, stage and year has SUPPLIERS suppliers of equal shares."""
    rows = catalog()
    minerals = [row.id for row in rows if isinstance(row, Mineral)]
    countries = [row.code for row in rows if isinstance(row, Country)][:SUPPLIERS]
    for source, year, mineral in product(SOURCES, range(1900, 2101), minerals):
        for stage, country in product(("extraction", "processing"), countries):
            yield Share(
                source=source,
                locator=f"table {year}, {mineral}",
                mineral=mineral,
                stage=stage,  # type: ignore[arg-type]
                period_start=year,
                period_end=year,
                country=country,
                share=1 / SUPPLIERS,
                printed=f"{100 / SUPPLIERS:g}%",
                basis="synthetic",
            )


def write(path: Path, count: int) -> None:
    """Writes so many shares in the project's own form."""
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(Share.__struct_fields__)
        for share in islice(shares(), count):
            cells = (getattr(share, name) for name in Share.__struct_fields__)
            rows.writerow(["" if cell is None else cell for cell in cells])


async def fill(dsn: str) -> None:
    """An empty ledger with the catalog."""
    await migrate(dsn)
    connection = await asyncpg.connect(dsn)
    async with revise(connection, author="bench", reason="catalog") as draft:
        await draft.observe(catalog())
    await connection.close()


async def copy(dsn: str, path: Path) -> float:
    """The seconds Postgres takes to copy the file into a bare table."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("create table raw as select * from share limit 0")
    begun = time.perf_counter()
    await connection.copy_to_table("raw", source=path, columns=Share.__struct_fields__, format="csv", header=True)
    taken = time.perf_counter() - begun
    await connection.execute("drop table raw")
    await connection.close()
    return taken


PROGRAM = """
import pathlib
from service.cli import main
try:
    main()
finally:
    print(pathlib.Path("/proc/self/status").read_text())
"""


def import_file(dsn: str, path: Path) -> Taken:
    """Imports the file by the program."""
    begun = time.perf_counter()
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM, "import", "form:share", str(path)],
        env={**os.environ, "CHOKEPOINT_DATABASE_URL": dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=True,
    )
    peak = re.search(r"VmHWM:\s+(\d+) kB", run.stdout)
    assert peak is not None
    return Taken(time.perf_counter() - begun, int(peak[1]) / 1024)


async def fresh(dsn: str, name: str) -> str:
    """A copy of the filled database; its URL."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"drop database if exists {name}")
    await connection.execute(f"create database {name} template filled")
    await connection.close()
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


def measure(dsn: str, folder: Path) -> None:
    """Runs the rounds and prints the table."""
    whole, tenth = folder / "whole.csv", folder / "tenth.csv"
    write(whole, ROWS)
    write(tenth, ROWS // 10)
    copies, imports, small = [], [], []
    for _ in range(ROUNDS):
        database = asyncio.run(fresh(dsn, "measured"))
        copies.append(asyncio.run(copy(database, whole)))
        imports.append(import_file(database, whole))
        small.append(import_file(asyncio.run(fresh(dsn, "measured")), tenth))
    ratios = [taken.seconds / copied for taken, copied in zip(imports, copies, strict=True)]
    print(f"{ROWS:,} share rows, {whole.stat().st_size / 1024**2:.0f} MiB, {ROUNDS} rounds, medians")
    print(f"raw COPY        {ROWS / statistics.median(copies):>10,.0f} rows/s")
    print(f"import          {ROWS / statistics.median(each.seconds for each in imports):>10,.0f} rows/s")
    print(f"import / COPY   {statistics.median(ratios):>10.1f} × the time ({min(ratios):.1f} to {max(ratios):.1f})")
    most, least = max(each.peak for each in imports), max(each.peak for each in small)
    print(f"peak memory     {most:>10.0f} MiB, {least:.0f} MiB for a tenth of the rows")


def main() -> None:
    """Measures on an embedded Postgres of its own."""
    with TemporaryDirectory(prefix="chokepoint-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with embedded(folder / "home") as server:

            async def prepare() -> None:
                connection = await asyncpg.connect(server)
                await connection.execute("create database filled")
                await connection.close()
                await fill(urlsplit(server)._replace(path="/filled").geturl())

            asyncio.run(prepare())
            measure(server, folder)


if __name__ == "__main__":
    takes_no_arguments(__doc__)
    main()
