"""The primary dies and its standby is promoted, under the checked load: the service finds it by itself.

The standby is waited for by every commit (`synchronous_standby_names`), so what was acknowledged is on it. Without that
the end of what was written may be lost with the primary, and no client of Postgres can tell.
"""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import psutil
import pytest

from service.embedded import embedded
from service.migrate import migrate
from service.quarters import Quarters, find_quarters
from service.seeding import seed
from tests.conftest import reachable_folder
from tests.faults.checked import ROUNDS, Load, in_a_loop, serving
from tests.faults.toxic import Toxic

OPTIONS = {"listen_addresses": "", "port": "5432", "fsync": "off", "hot_standby": "on", "wal_receiver_timeout": "5s"}


class Postgres:
    """A server on a data folder, without anybody who would start it again."""

    def __init__(self, quarters: Quarters, data: Path, started: list[Postgres]) -> None:
        self.quarters = quarters
        self.data = data
        self.started = started
        started.append(self)
        self.dsn = f"postgresql://postgres@/postgres?host={data}&port=5432"
        options = [f"--{name}={value}" for name, value in (OPTIONS | {"unix_socket_directories": str(data)}).items()]
        command = [str(quarters.programs / "postgres"), "-D", str(data), *options]
        self.process = psutil.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **quarters.identity()
        )
        self._await()

    def _await(self) -> None:
        deadline = time.monotonic() + 60
        while not self._answers():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            return bool(self.run("select true"))
        except (OSError, asyncpg.PostgresError):
            return False

    def run(self, *statements: str) -> object:
        """What the last statement tells."""

        async def run() -> object:
            connection = await asyncpg.connect(self.dsn, timeout=10)
            told: object = None
            for statement in statements:
                told = await connection.fetchval(statement)
            await connection.close()
            return told

        return in_a_loop(run())

    def standby(self) -> Postgres:
        """A standby of this server, which from now on waits for it with every commit."""
        data = self.data.with_name(f"{self.data.name}s")
        backup = [str(self.quarters.programs / "pg_basebackup"), "--write-recovery-conf", "--checkpoint=fast"]
        place = ["--host", str(self.data), "--username=postgres", "--pgdata", str(data)]
        made = self.quarters.private_folder("standby-", self.quarters.folder)
        made.rename(data)
        subprocess.run([*backup, *place], check=True, capture_output=True, **self.quarters.identity())
        (data / ".s.PGSQL.5432.lock").unlink()  # copied with everything else
        standby = Postgres(self.quarters, data, self.started)
        self.run("alter system set synchronous_standby_names = '*'", "select pg_reload_conf()")
        waits = "select count(*) from pg_stat_replication where sync_state in ('sync', 'quorum')"
        deadline = time.monotonic() + 60
        while not self.run(waits):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return standby

    def kill(self) -> None:
        """Ends the server and every process of it, as a machine that loses its power does."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in (self.process, *self.process.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self.process.wait()

    def promote(self) -> None:
        """Makes it a primary that waits for nobody."""
        assert self.run("select pg_promote(true, 60)")
        self.run("alter system reset synchronous_standby_names", "select pg_reload_conf()")


@pytest.fixture
def primary() -> Iterator[Postgres]:
    """A primary with the shipped evidence; in the end it and its standbys are killed."""
    with reachable_folder() as folder:
        with embedded(folder / "home", {"fsync": "off"}) as dsn:
            in_a_loop(migrate(dsn))
            in_a_loop(seed(dsn))
        quarters = find_quarters(folder / "home")
        started: list[Postgres] = []
        try:
            yield Postgres(quarters, quarters.data, started)
        finally:
            for server in started:
                server.kill()


def test_the_primary_dies_and_its_standby_takes_over(primary: Postgres, reference: str) -> None:
    """Every commit it acknowledged is on the standby; the service is told of both and finds out which one it is."""
    with ExitStack() as stack:
        ways = [stack.enter_context(Toxic(str(primary.data / ".s.PGSQL.5432"))) for _ in range(2)]
        ways[1].refuse = True
        servers = ",".join(f"127.0.0.1:{way.port}" for way in ways)
        dsn = f"postgresql://postgres@{servers}/postgres?target_session_attrs=primary&sslmode=disable"
        with serving(dsn, direct=primary.dsn) as server, Load(server) as load:
            for number in range(ROUNDS):
                standby, way, dead = primary.standby(), ways[(number + 1) % 2], ways[number % 2]
                way.target = str(standby.data / ".s.PGSQL.5432")
                way.refuse = False
                load.run(1)
                with load.fault("primary killed, standby promoted"):
                    primary.kill()
                    dead.refuse = True
                    standby.promote()
                primary = standby
        report = load.verified(primary.dsn, reference)
    print(f"\n{report}")
    assert report.sound(), report
