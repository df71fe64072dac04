"""An import that is killed at any moment is wholly there or wholly absent, and the next start serves what is there.

CHOKEPOINT_KILLS (12) is how many imports are killed; a fourth of them with their Postgres.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from asyncpg import Connection, Record

from service.embedded import embedded
from service.migrate import migrate
from tests.faults.killing import State, fill, kill_all, served, state, write

KILLS = int(os.environ.get("CHOKEPOINT_KILLS", "12"))
WITH_POSTGRES = KILLS // 4


class Importer:
    """The program, importing edition after edition of one table."""

    def __init__(self, folder: Path, **env: str) -> None:
        self.folder = folder
        self.env = {**os.environ, "CHOKEPOINT_DATABASE_URL": "", **env}
        self.seconds = 0.0

    @contextlib.contextmanager
    def importing(self, edition: int) -> Iterator[subprocess.Popen[str]]:
        """The program, as it begins to read the table of an edition."""
        path = self.folder / f"edition-{edition}.csv"
        if not path.exists():
            write(path, edition)
        command = [sys.executable, "-m", "service", "import", "form:share", str(path)]
        with subprocess.Popen(
            command, env=self.env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        ) as run:
            try:
                assert run.stderr is not None
                said = run.stderr.readline()
                while not said.startswith("Reading"):
                    assert said, "the program ended before it began to read"
                    said = run.stderr.readline()
                yield run
            finally:
                run.kill()

    def whole(self, edition: int) -> None:
        """Imports an edition to its end, and takes the time from the beginning of the reading."""
        with self.importing(edition) as run:
            begun = time.monotonic()
            assert run.wait() == 0
            self.seconds = time.monotonic() - begun

    def killed(self, edition: int, chance: random.Random) -> None:
        """Kills the import of an edition at some moment between its first line and a little after its end."""
        with self.importing(edition) as run:
            time.sleep(chance.uniform(0, self.seconds * 1.2))
            run.kill()

    def killed_with_postgres(self, edition: int, chance: random.Random) -> None:
        """Kills the import and every process of the Postgres it runs, as a machine that loses its power does."""
        with self.importing(edition) as run:
            time.sleep(chance.uniform(0, self.seconds * 1.2))
            kill_all(psutil.Process(run.pid))


def judge(before: State, after: State, edition: int) -> bool:
    """Whether the edition is there; it is an error if a part of it is."""
    if after == before:
        return False
    assert (after.revision, after.editions) == (before.revision + 1, {f"edition {edition}"})
    return True


async def test_a_killed_import_is_wholly_there_or_wholly_absent(
    postgres: Any, administrator: Connection[Record], migrated: str, tmp_path: Path
) -> None:
    """Whatever is absent is imported again, so that in the end everything is there exactly once."""
    name = f"killed_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {migrated}")
    dsn = postgres.database(name)
    await fill(dsn)
    importer, chance = Importer(tmp_path, CHOKEPOINT_DATABASE_URL=dsn), random.Random(1)  # noqa: S311
    importer.whole(1)
    importer.whole(2)
    now, edition, there = await state(dsn), 3, 0
    for _ in range(KILLS - WITH_POSTGRES):
        importer.killed(edition, chance)
        after = await state(dsn)
        if judge(now, after, edition):
            there, edition = there + 1, edition + 1
        assert await served(dsn) == after.revision
        now = after
    importer.whole(edition)
    assert judge(now, await state(dsn), edition)
    print(f"{KILLS - WITH_POSTGRES} imports killed: {there} wholly there, the others wholly absent")
    await administrator.execute(f"drop database {name} with (force)")


@pytest.mark.skipif(not WITH_POSTGRES, reason="CHOKEPOINT_KILLS is too small")
def test_so_is_one_that_is_killed_with_its_postgres(home: Path, tmp_path: Path) -> None:
    """The next start recovers Postgres by itself, and serves the right revision."""
    importer, chance = Importer(tmp_path, CHOKEPOINT_HOME=str(home)), random.Random(2)  # noqa: S311
    with embedded(home) as dsn:
        asyncio.run(_prepare(dsn))
    importer.whole(1)
    importer.whole(2)
    with embedded(home) as dsn:
        now = asyncio.run(state(dsn))
    edition, there = 3, 0
    for _ in range(WITH_POSTGRES):
        importer.killed_with_postgres(edition, chance)
        with embedded(home) as dsn:
            after = asyncio.run(state(dsn))
            assert asyncio.run(served(dsn)) == after.revision
        if judge(now, after, edition):
            there, edition = there + 1, edition + 1
        now = after
    print(f"{WITH_POSTGRES} imports killed with their Postgres: {there} wholly there, the others wholly absent")


async def _prepare(dsn: str) -> None:
    await migrate(dsn)
    await fill(dsn)
