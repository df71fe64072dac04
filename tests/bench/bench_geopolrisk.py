"""GeoPolRisk for 22 materials, three buyers and two years, 132 results: our engine against the library itself.

Run: python -m tests.bench.bench_geopolrisk

The library, geopolrisk-py 2.0.1 (GPL, Python 3.10 and 3.11 only), is no requirement of anything here: it is installed
into an environment of its own, `.venv-geopolrisk` or the one whose Python BENCH_GEOPOLRISK_PYTHON names. It answers
from the data it ships; those same data are put into a World, and before anything is timed all 132 results have to be
the same to 1e-9.

Timed on both sides are the calculations alone, in CPU time, on data that are loaded and prepared: the library's trade
mapped to materials, ours sorted by importer. What the library needs to load and
prepare them, and the call it documents, which does all of it, are told beside.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

from service.methods.commodities import commodities
from service.methods.geopolrisk import value_of
from service.methods.verification.geopolrisk import MATERIALS
from service.seeding import read_seeds
from service.world.memo import Memo
from service.world.rows import (
    Bloc,
    Country,
    Governance,
    Membership,
    Mineral,
    Production,
    Source,
    TariffLine,
    Trade,
)
from service.world.rows import (
    Row as Evidence,
)
from service.world.world import World
from tests.bench.row import ROUNDS, Row, row_of
from tests.evidence import source, world_of

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / ".venv-geopolrisk"
PACKAGE = "geopolrisk-py==2.0.1"
WHAT = "132 GeoPolRisk results against the library itself"
BAR = "≥ 1,000"

YEARS = (2022, 2023)
BUYERS = {"USA": "USA", "EU": "EU", "Japan": "JPN"}
SAME = 1e-9


def interpreter() -> Path:
    """A Python that has the library. Raises CalledProcessError where it cannot be installed."""
    if told := os.environ.get("BENCH_GEOPOLRISK_PYTHON"):
        return Path(told)
    python = LIBRARY / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(LIBRARY)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", PACKAGE], check=True)
    return python


def asked_of_the_library(rounds: int) -> dict[str, Any]:
    """What the library answers, from what inputs, and in what time."""
    question = {"years": YEARS, "buyers": list(BUYERS), "materials": list(MATERIALS), "rounds": rounds}
    with tempfile.TemporaryDirectory() as home:  # it makes folders and a log there
        run = subprocess.run(
            [str(interpreter()), str(Path(__file__).with_name("peers") / "library.py")],
            input=json.dumps(question),
            env={**os.environ, "HOME": home},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
    told: dict[str, Any] = json.loads(run.stdout)
    return told


def world(told: dict[str, Any]) -> World:
    """The library's inputs as evidence."""
    kept = [row for row in read_seeds() if isinstance(row, Source | Country | Mineral | Bloc | Membership)]
    known = {row.code for row in kept if isinstance(row, Country)}
    rows = list(_inputs(told))
    codes = {each for row in rows if isinstance(row, Trade) for each in (row.exporter, row.importer)}
    codes |= {row.country for row in rows if isinstance(row, Production)}
    strangers = [Country(code=code, alpha_2="", name=code, source="library") for code in sorted(codes - known)]
    return world_of(source("library"), kept, strangers, rows)


def _inputs(told: dict[str, Any]) -> Iterator[Evidence]:
    for material, name in MATERIALS.items():
        for code in told["codes"][material]:
            yield TariffLine(source="library", commodity=name, code=f"{code:06}", edition="HS 1992")
        for country, *amounts, unit in told["production"][material]:
            for year, amount in zip(YEARS, amounts, strict=True):
                yield Production(
                    source="library",
                    commodity=name,
                    country=country,
                    year=year,
                    quantity=amount,
                    printed=str(amount),
                    unit=unit,
                )
    weights = {}
    for period, importer, exporter, code, quantity, value, weight in told["trade"]:
        yield Trade(
            source="library",
            code=f"{int(code):06}",
            year=int(period),
            exporter=exporter or "ZZZ",
            importer=importer or "ZZZ",
            value=float(value or 0),
            quantity=float(quantity or 0),
        )
        # the library takes 0.5 for whom its table of governance does not have
        weights[exporter or "ZZZ", int(period)] = 0.5 if weight in (None, "NA") else float(weight)
    for (country, year), weight in weights.items():
        yield Governance(source="library", country=country, dimension="pv", year=year, estimate=2.5 - 5 * weight)


def calculate(own: World) -> list[float | None]:
    """The 132 scores, in the library's order."""
    recorded = {commodity.name: commodity for commodity in commodities(own)}
    return [
        value_of(own, recorded[name], buyer, year).value
        for year, buyer, name in product(YEARS, BUYERS.values(), MATERIALS.values())
    ]


def prepared(own: World) -> World:
    """The World with its figures sorted for the method, as the library's are, and nothing worked out for the buyers."""
    fresh = replace(own, memo=Memo())
    for commodity, year in product(commodities(fresh), YEARS):
        value_of(fresh, commodity, "CHN", year)
    return fresh


def took(own: World) -> float:
    """Seconds of CPU time of the calculation on what is prepared: the least of several times."""
    seconds = []
    for _ in range(5):
        fresh = prepared(own)
        begun = time.process_time()
        calculate(fresh)
        seconds.append(time.process_time() - begun)
    return min(seconds)


def measure() -> list[Row]:
    """The row; without a figure where the library cannot be had."""
    try:
        told = asked_of_the_library(rounds=1)
    except (OSError, subprocess.CalledProcessError) as error:
        return [Row(WHAT, float("nan"), float("nan"), float("nan"), "", f"not measured: {error}")]
    own = world(told)
    for ours, theirs in zip(calculate(own), told["scores"], strict=True):
        if ours is None or abs(ours - theirs) > SAME:
            raise SystemExit(f"{ours} is not the library's {theirs}: {WHAT} cannot be compared")
    seconds = [took(own) for _ in range(ROUNDS)]
    theirs = statistics.median(told["calculating"])
    detail = (
        f"{statistics.median(seconds) * 1e3:.1f} ms against {theirs:.1f} s of CPU, the same to 1e-9; the library loads "
        f"its data in {told['loading']:.0f} s and takes {told['documented']:.0f} s for its documented call"
    )
    return [row_of(WHAT, [theirs / each for each in seconds], BAR, detail)]


if __name__ == "__main__":
    for row in measure():
        print(row)
