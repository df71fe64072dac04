"""The embedded Postgres: it ends with its owner, and whatever a killed owner left behind does not matter."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from service import quarters
from service.embedded import EmbeddedError, HomeInUseError, embedded, shared
from service.migrate import DatabaseError, connected

OWNER = """
import sys, threading
from pathlib import Path
from service.cli import stoppable
from service.embedded import embedded
with stoppable(), embedded(Path(sys.argv[1])) as dsn:
    print(dsn, flush=True)
    threading.Event().wait()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as somebody else")


@contextlib.contextmanager
def owner_of(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that owns the Postgres in `home`, and the URL where it answers."""
    with subprocess.Popen([sys.executable, "-c", OWNER, str(home)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        try:
            yield owner, owner.stdout.readline().strip()
        finally:
            owner.kill()


def servers_on(home: Path) -> list[psutil.Process]:
    """The Postgres servers that run on the data in `home`, without the processes a server consists of."""
    data = str((home / "postgres" / "data").resolve())
    found = [
        process
        for process in psutil.process_iter(["name", "cmdline", "ppid"])
        if process.info["name"] == "postgres" and data in (process.info["cmdline"] or [])
    ]
    # a child bears the server's command until it has renamed itself
    return [process for process in found if process.info["ppid"] not in {server.pid for server in found}]


async def remember(dsn: str, word: str) -> None:
    async with connected(dsn) as connection:
        await connection.execute(f"create table if not exists memory (word text); insert into memory values ('{word}')")


async def remembered(dsn: str) -> list[str]:
    async with connected(dsn) as connection:
        return [row["word"] for row in await connection.fetch("select word from memory")]


async def soon(attempt: Callable[[], Awaitable[list[str]]]) -> list[str]:
    """What `attempt` gives once the database answers again."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return await attempt()
        except DatabaseError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


async def test_the_data_is_kept_and_the_second_start_is_quick(home: Path) -> None:
    with embedded(home) as dsn:
        await remember(dsn, "cobalt")
    assert servers_on(home) == []
    started = time.monotonic()
    with embedded(home) as dsn:
        assert time.monotonic() - started < 2
        assert await remembered(dsn) == ["cobalt"]


async def test_no_port_is_opened_and_only_its_own_account_gets_at_the_socket(home: Path) -> None:
    with embedded(home) as dsn:
        async with connected(dsn) as connection:
            assert await connection.fetchval("show listen_addresses") == ""
        [socket] = (home / "postgres").resolve().rglob(".s.PGSQL.*[0-9]")
        assert socket.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_an_owner_that_is_told_to_stop_takes_the_server_with_it(home: Path, number: signal.Signals) -> None:
    with owner_of(home) as (owner, _):
        owner.send_signal(number)
        assert owner.wait(10) == 128 + number
    assert servers_on(home) == []
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()


def test_the_server_stops_when_its_owner_fails(home: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded(home):
        _ = 1 / 0
    assert servers_on(home) == []


async def test_after_an_owner_was_killed_the_next_one_has_the_data_and_the_only_server(home: Path) -> None:
    with owner_of(home) as (owner, dsn):
        await remember(dsn, "cobalt")
        [orphan] = servers_on(home)
        owner.kill()
        with embedded(home) as dsn:
            [server] = servers_on(home)
            assert server != orphan
            assert await remembered(dsn) == ["cobalt"]


async def test_after_everything_was_killed_the_next_owner_has_the_data(home: Path) -> None:
    with owner_of(home) as (owner, dsn):
        await remember(dsn, "cobalt")
        [server] = servers_on(home)
        for process in (psutil.Process(owner.pid), *server.children(), server):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        with embedded(home) as dsn:
            assert await remembered(dsn) == ["cobalt"]


async def test_an_owner_killed_while_making_the_data_folder_leaves_nothing_that_matters(home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, str(home)], stdout=subprocess.PIPE) as owner:
        while not list((home / "postgres").glob("new-*/PG_VERSION")):
            time.sleep(0.001)
        owner.kill()
    with embedded(home) as dsn:
        await remember(dsn, "cobalt")


def test_data_folders_that_were_never_finished_are_removed(home: Path) -> None:
    (home / "postgres" / "new-unfinished").mkdir(parents=True)
    with embedded(home):
        assert [each.name for each in (home / "postgres").iterdir() if each.is_dir()] == ["data"]


async def test_a_lock_file_that_names_an_innocent_process_neither_harms_it_nor_stops_the_start(home: Path) -> None:
    with embedded(home) as dsn:
        await remember(dsn, "cobalt")
    data = home / "postgres" / "data"
    account = data.stat().st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=account) as innocent:
        for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
            (data / name).write_text(f"{innocent.pid}\n{data}\n1\n5432\n{data}\n\n  1 1\nready\n")
        with embedded(home) as dsn:
            assert await remembered(dsn) == ["cobalt"]
        assert innocent.poll() is None
        innocent.kill()


async def test_a_server_that_dies_under_its_owner_comes_back_at_the_same_address(home: Path) -> None:
    with embedded(home) as dsn:
        await remember(dsn, "cobalt")
        [server] = servers_on(home)
        server.kill()
        assert await soon(lambda: remembered(dsn)) == ["cobalt"]
    assert servers_on(home) == []


async def test_a_second_owner_is_refused_in_one_line_and_a_visitor_is_let_in(home: Path) -> None:
    with owner_of(home) as (owner, dsn):
        with pytest.raises(
            HomeInUseError, match=rf"^{home} is in use by another chokepoint \(process {owner.pid}\); [^\n]+$"
        ):
            with embedded(home, patience=0):
                pass
        with shared(home) as same:
            assert same == dsn
        await remember(dsn, "still there")


def test_an_owner_that_is_just_leaving_is_waited_for(home: Path) -> None:
    with owner_of(home) as (owner, _):
        owner.terminate()
        with embedded(home):
            assert owner.wait(10) == 128 + signal.SIGTERM


async def test_a_visitor_without_an_owner_brings_the_server_and_takes_it_away(home: Path) -> None:
    with shared(home) as dsn:
        await remember(dsn, "cobalt")
    assert servers_on(home) == []


async def test_two_homes_have_two_servers(home: Path) -> None:
    with embedded(home / "one") as one, embedded(home / "two") as two:
        await remember(one, "cobalt")
        await remember(two, "gallium")
        assert (await remembered(one), await remembered(two)) == (["cobalt"], ["gallium"])


@pytest.mark.parametrize("name", ["x" * 120, "with a space, a comma & 'quotes' ü %41"])
async def test_a_long_or_unusual_path_is_no_obstacle(home: Path, name: str) -> None:
    with embedded(home / name) as dsn:
        await remember(dsn, "cobalt")
        assert await remembered(dsn) == ["cobalt"]
        sockets = Path(dsn.partition("host=")[2].partition("&")[0])
        assert sockets.is_dir()
    assert not sockets.exists()


async def test_a_temporary_folder_somebody_else_has_used_is_no_obstacle(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as shared_folder:
        (Path(shared_folder) / ".lockfile").mkdir(mode=0)
        monkeypatch.setenv("TMPDIR", shared_folder)
        with embedded(home) as dsn:
            await remember(dsn, "cobalt")


def test_data_of_another_version_is_refused_and_left_alone(home: Path) -> None:
    with embedded(home):
        pass
    version = home / "postgres" / "data" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedError, match=r"was written by Postgres 17; this is Postgres 18$"), embedded(home):
        pass
    assert version.read_text() == "17\n"


def test_a_server_that_does_not_start_says_why(home: Path) -> None:
    with embedded(home):
        pass
    with (home / "postgres" / "data" / "postgresql.conf").open("a") as file:
        file.write("shared_buffers = plenty\n")
    with pytest.raises(EmbeddedError, match=r"^the embedded Postgres does not start: configuration file .*server\.log"):
        with embedded(home):
            pass


def test_a_home_that_cannot_be_made_is_refused(home: Path) -> None:
    home.touch()
    with pytest.raises(EmbeddedError, match=rf"^the embedded Postgres cannot live in {home}/below: "):
        with embedded(home / "below"):
            pass


@as_root
async def test_below_a_folder_only_root_enters_nothing_is_opened_and_the_data_is_kept(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarters, "ROOT_STORE", home.parent / "store")
    private = home / "private"
    private.mkdir(mode=0o700, parents=True)
    for word in ("cobalt", "gallium"):
        with embedded(private / "home") as dsn:
            await remember(dsn, word)
            [server] = servers_on(private / "home")
            assert server.uids().real != 0
    with embedded(private / "home") as dsn:
        assert await remembered(dsn) == ["cobalt", "gallium"]
    assert private.stat().st_mode & 0o777 == 0o700


@as_root
async def test_programs_only_root_can_read_are_copied_and_run(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarters, "ROOT_STORE", home.parent / "store")
    original = quarters._installed().parent.parent
    private = home / "private"
    private.mkdir(mode=0o700, parents=True)
    for part in (quarters.WHEEL, f"{quarters.WHEEL}.libs"):
        if (original.parent / part).exists():
            shutil.copytree(original.parent / part, private / part, symlinks=True)
    installed = private / quarters._installed().relative_to(original.parent)
    monkeypatch.setattr(quarters, "_installed", lambda: installed)
    with embedded(home / "home") as dsn:
        await remember(dsn, "cobalt")
        [server] = servers_on(home / "home")
        assert Path(server.exe()).is_relative_to(home.parent / "store")
