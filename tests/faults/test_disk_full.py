"""The database's disk is full, under the checked load: writes are refused clearly, and leave nothing behind.

The tables and the write-ahead log of an embedded server live on small disks of memory, which only root can mount.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import asyncpg
import pytest

from service.embedded import embedded
from service.migrate import migrate
from service.quarters import find_quarters
from service.seeding import seed
from tests.conftest import reachable_folder
from tests.faults.checked import ROUNDS, Load, in_a_loop, serving

MEBIBYTES = {"tables": 160, "log": 160}
"""How large the disks are."""
OPTIONS = {"fsync": "off", "max_wal_size": "64MB", "min_wal_size": "32MB", "wal_recycle": "off", "wal_init_zero": "on"}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk of memory")


class Disk:
    """A disk that can be filled."""

    def __init__(self, place: Path) -> None:
        self.ballast = place / "ballast"

    def fill(self) -> None:
        """Leaves no room."""
        with self.ballast.open("wb", buffering=0) as file:
            try:
                while file.write(bytes(64 * 1024)):
                    pass
            except OSError:
                return

    def free(self) -> None:
        """Gives the room back."""
        self.ballast.unlink(missing_ok=True)


@contextmanager
def mounted(place: Path, mebibytes: int) -> Iterator[Disk]:
    """A small disk of memory at a place."""
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m,mode=755", "none", str(place)], check=True)
    try:
        yield Disk(place)
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.fixture
def disks() -> Iterator[tuple[str, dict[str, Disk]]]:
    """A ledger on small disks: its URL, and the disks."""
    with ExitStack() as stack:
        folder = stack.enter_context(reachable_folder())
        made = {name: stack.enter_context(mounted(folder / name, size)) for name, size in MEBIBYTES.items()}
        home = folder / "tables" / "home"
        with embedded(home, OPTIONS):
            pass
        data, log = find_quarters(home).data, folder / "log" / "pg_wal"
        shutil.copytree(data / "pg_wal", log)
        for path in (log, *log.rglob("*")):
            shutil.chown(path, data.owner(), data.group())
        log.chmod(0o700)
        shutil.rmtree(data / "pg_wal")
        (data / "pg_wal").symlink_to(log)
        dsn = stack.enter_context(embedded(home, OPTIONS))
        in_a_loop(migrate(dsn))
        in_a_loop(seed(dsn))
        yield dsn, made


async def write_much(dsn: str) -> None:
    """Uses up what is left, as others who write to the same server do. Raises what Postgres does."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("create table if not exists much as select repeat(md5(random()::text), 20) as text")
        while True:
            await connection.execute(
                "insert into much select repeat(md5(random()::text), 20) from generate_series(1, 2000)"
            )
    finally:
        connection.terminate()


async def drop_much(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("drop table if exists much")
    await connection.close()


def test_so_are_uploads_that_cannot_be_kept(
    served: str, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service's own disk for files of the moment is full: writes are refused with 507, reads and counts go on."""
    with mounted(tmp_path / "moment", 8) as disk:
        monkeypatch.setenv("TMPDIR", str(disk.ballast.parent))
        with serving(served) as server, Load(server) as load:
            for _ in range(ROUNDS):
                with load.fault("disk for uploads full"):
                    before, deadline = load.report.out_of_space, time.monotonic() + 60
                    with load.no_write:  # whose file would give its room back
                        disk.fill()
                    while load.report.out_of_space < before + 2 and time.monotonic() < deadline:
                        load.run(0.1)
                    load.run(2)
                    disk.free()
    report = load.verified(served, reference)
    print(f"\n{report}")
    assert report.sound(), report
    assert report.out_of_space > 0


@pytest.mark.parametrize("name", MEBIBYTES)
def test_writes_are_refused_until_there_is_room(disks: tuple[str, dict[str, Disk]], name: str, reference: str) -> None:
    """Reads go on; a write that was refused leaves nothing of itself, and is there once when it is tried again."""
    dsn, made = disks
    with serving(dsn) as server, Load(server) as load:
        for _ in range(ROUNDS):
            with load.fault(f"disk of the {name} full"):
                made[name].fill()
                with pytest.raises((asyncpg.PostgresError, OSError)):
                    in_a_loop(write_much(dsn))
                before, deadline = load.report.unanswered, time.monotonic() + 60
                while load.report.unanswered < before + 2 and time.monotonic() < deadline:
                    load.run(0.1)
                assert load.report.unanswered > before
                made[name].free()
            in_a_loop(drop_much(dsn))
    report = load.verified(dsn, reference)
    print(f"\n{report}")
    assert report.sound(), report
    if name == "tables":
        assert report.out_of_space > 0
