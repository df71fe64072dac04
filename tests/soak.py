"""A long run under a mixed, checked load: every answer right, and memory flat.

Run: make soak     (SOAK_SECONDS, 3600; SOAK_WRITE_EVERY, 5 seconds; SOAK_WORKERS, 2)

Two workers that only answer who has a key are asked by the load of the fault tests, which checks every answer and
commits small revisions by importing them, by questions about older revisions, and by one reader more who never asks the
same twice. The resident memory of each process is sampled all the time. A process is **flat** if over the second half
of the run

* a line fitted to the means of twelve stretches of it does not rise by more than MOST_GROWTH of the plateau, the upper
  bound of its 95 % interval included, and
* no sample lies more than MOST_ABOVE over the plateau, the median of that half.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import asyncpg
import psutil
from rich.progress import Progress

from service.embedded import embedded
from service.migrate import migrate
from service.seeding import read_seeds, seed
from service.world.rows import Country, Mineral
from tests.commands import takes_no_arguments
from tests.faults.checked import Connection, Load, Report, Server, serving

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
WRITE_EVERY = float(os.environ.get("SOAK_WRITE_EVERY", "5"))
WORKERS = int(os.environ.get("SOAK_WORKERS", "2"))
SAMPLES = 720
"""How often memory is looked at in a run, however long it is."""

MOST_GROWTH = 0.05
MOST_ABOVE = 0.25
"""Parts of the plateau by which memory may grow in the second half of a run, and lie above the plateau at a time."""

STRETCHES = 12
_T_95 = 2.228
"""Student's t for 95 %, both sides, and STRETCHES − 2 degrees of freedom."""

MIB = 1024 * 1024


class Memory(NamedTuple):
    """What a process took over the second half of a run: MiB, MiB per hour with its 95 % half width, parts of it."""

    name: str
    plateau: float
    highest: float
    per_hour: float
    give_or_take: float
    growth: float

    def flat(self, most_growth: float = MOST_GROWTH) -> bool:
        """Whether it keeps to the rule."""
        return self.growth <= most_growth and self.highest <= self.plateau * (1 + MOST_ABOVE)

    def __str__(self) -> str:
        return (
            f"{self.name:<10} {self.plateau:7.1f} MiB, at most {self.highest:.1f}; "
            f"{self.per_hour:+.1f} ± {self.give_or_take:.1f} MiB/h; {'flat' if self.flat() else 'NOT FLAT'}"
        )


def judged(name: str, samples: list[tuple[float, float]]) -> Memory:
    """What a process took, by samples of seconds and MiB."""
    half = samples[len(samples) // 2 :]
    plateau = statistics.median(mib for _, mib in half)
    size = len(half) / STRETCHES
    stretches = [half[round(i * size) : round((i + 1) * size)] for i in range(STRETCHES)]
    at = [statistics.mean(second for second, _ in stretch) / 3600 for stretch in stretches]
    mib = [statistics.mean(mib for _, mib in stretch) for stretch in stretches]
    per_hour, start = statistics.linear_regression(at, mib)
    spread = sum((y - start - per_hour * x) ** 2 for x, y in zip(at, mib, strict=True)) / (STRETCHES - 2)
    mean = statistics.mean(at)
    give_or_take = _T_95 * (spread / sum((x - mean) ** 2 for x in at)) ** 0.5
    growth = (per_hour + give_or_take) * (half[-1][0] - half[0][0]) / 3600 / plateau
    return Memory(name, plateau, max(mib for _, mib in half), per_hour, give_or_take, growth)


@dataclass
class Wanderer:
    """A reader who never asks the same question twice."""

    server: Server
    asked: int = 0
    wrong: list[str] = field(default_factory=list)

    def ask(self, over: threading.Event) -> None:
        """Asks until it is over, never the same."""
        with contextlib.closing(Connection(self.server)) as connection:
            for path in questions():
                if over.wait(0.02):
                    return
                answer = connection.ask(path)
                self.asked += 1
                if answer.status != 200:
                    self.wrong.append(f"{answer.status} to {path}")


def questions() -> Iterator[str]:
    """Scores, rankings, levers and ladders of minerals, buyers and days drawn by chance, the same in every run."""
    rows = list(read_seeds())
    minerals = [row.id for row in rows if isinstance(row, Mineral)]
    buyers = [row.code for row in rows if isinstance(row, Country)] + ["EU", "G7", "MSP"]
    chance = random.Random(1)  # noqa: S311 - a choice of URLs
    for number in itertools.count():
        mineral, buyer = chance.choice(minerals), chance.choice(buyers)
        day = f"{chance.randint(1990, 2027)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        about = f"buyer={buyer}&as_of={day}"
        yield [
            f"/v1/minerals/{mineral}/score?{about}",
            f"/v1/minerals/{mineral}/score?{about}&ladder=memorandum:{number % 999_983 / 1_000_000 + 0.000_001:.6f}",
            f"/v1/minerals/{mineral}/score/levers?{about}",
            f"/v1/scores?{about}&limit=20",
        ][chance.choices(range(4), weights=(70, 20, 5, 5))[0]]


@dataclass
class Outcome:
    """What a run found."""

    seconds: float
    report: Report
    wanderer: Wanderer
    memory: list[Memory]

    def sound(self, most_growth: float = MOST_GROWTH) -> bool:
        """Whether nothing was violated and every process stayed flat."""
        promises = self.report.violated == 0 and not self.wanderer.wrong and self.report.acknowledged > 0
        return promises and all(each.flat(most_growth) for each in self.memory)

    def __str__(self) -> str:
        report, asked = self.report, self.wanderer.asked
        lines = [
            f"{self.seconds:,.0f} s: {report.checked:,} answers checked, {asked:,} more never asked before, "
            f"{report.acknowledged:,} revisions written, {report.violated + len(self.wanderer.wrong)} violations",
            *map(str, self.memory),
            *report.violations,
            *self.wanderer.wrong[:20],
        ]
        return "\n".join(lines)


def soak(dsn: str, reference: str, seconds: float, write_every: float, workers: int = WORKERS) -> Outcome:
    """Runs the load on a service over the ledger at `dsn`; `reference` is another with the same evidence."""
    with serving(dsn, workers=workers, READS="keyed", RATE_LIMIT="1000000/1") as server:
        wanderer, over = Wanderer(server), threading.Event()
        wandering = threading.Thread(target=wanderer.ask, args=[over])
        with Load(server, write_every=write_every) as load:
            wandering.start()
            samples = _sampled(server.process, load, seconds)
            over.set()
            wandering.join()
    memory = [judged(name, found) for name, found in samples.items()]
    print(*memory, f"{len(load.writes):,} revisions: comparing answers with the reference …", sep="\n", flush=True)
    return Outcome(seconds, load.verified(dsn, reference), wanderer, memory)


def _sampled(parent: psutil.Process, load: Load, seconds: float) -> dict[str, list[tuple[float, float]]]:
    """The resident memory of each process of the service while the load runs, in MiB by second."""
    workers = [each for each in parent.children() if "spawn_main" in " ".join(each.cmdline())]
    processes = {"parent": parent} | {f"worker {place}": each for place, each in enumerate(workers, 1)}
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in processes}
    begun = time.monotonic()
    with Progress(disable=not sys.stdout.isatty()) as progress:
        task = progress.add_task("soaking", total=seconds)
        while (now := time.monotonic() - begun) < seconds:
            for name, process in processes.items():
                samples[name].append((now, process.memory_info().rss / MIB))
            progress.update(task, completed=now, description=f"{load.report.checked:,} checked")
            load.run(seconds / SAMPLES)
    return samples


def main() -> None:
    """Runs on an embedded Postgres of its own. Exits with 1 where something was violated or grew."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    with tempfile.TemporaryDirectory(prefix="chokepoint-soak-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with embedded(folder / "home") as dsn:
            served, reference = asyncio.run(_ledgers(dsn))
            outcome = soak(served, reference, SECONDS, WRITE_EVERY)
    print(outcome)
    sys.exit(not outcome.sound())


async def _ledgers(dsn: str) -> tuple[str, str]:
    """Two databases with the shipped evidence."""
    urls = [urlsplit(dsn)._replace(path=f"/{name}").geturl() for name in ("served", "reference")]
    connection = await asyncpg.connect(dsn)
    await connection.execute("create database served")
    await migrate(urls[0])
    await seed(urls[0])
    await connection.execute("create database reference template served")
    await connection.close()
    return urls[0], urls[1]


if __name__ == "__main__":
    takes_no_arguments(__doc__)
    main()
