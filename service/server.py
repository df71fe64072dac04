"""Granian's server, hardened: no client and no dying worker takes the others down with it.

Left to itself granian ends all workers where one dies twice within seconds, forgets a worker that dies in the moment it
looks at another's death, waits for ever for the first byte of a client that might speak HTTP/2, and for one that reads
nothing or is gone without a word.
"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import time
from pathlib import Path
from typing import Any, Final, NamedTuple

from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.net import SocketHolder, SocketSpec  # type: ignore[attr-defined]
from granian.server import MPServer

from service.settings import Settings

BACKLOG: Final = 2048
"""Connections the kernel keeps waiting for each worker."""

MOST_CONNECTIONS: Final = 8192
"""Connections one worker keeps open, idle ones included; more wait in the backlog. Fewer where the system allows a
process fewer files."""

SPARE_FILES: Final = 256
"""Files a worker keeps for everything else."""

LARGEST_HEAD: Final = 32 * 1024
"""Bytes of a request's first line and header fields together, which a connection may make a worker hold."""

PATIENCE_WITH_HEAD: Final = 10
"""Seconds a client gets for the head of a request, from when it could begin with it; so an idle connection lives as
long."""

PATIENCE_WITH_READER: Final = 30
"""Seconds a client may take nothing of an answer, or be silent to the kernel's probes, before its connection is cut."""

PATIENCE_WITH_WORKERS: Final = 10
"""Seconds a worker gets to finish its requests before it is killed."""

FALSE_STARTS: Final = 3
"""So many deaths before any worker has answered mean that none can."""

STEADY: Final = 10.0
"""Seconds a worker lives to be worth an immediate successor."""

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 30.0
"""Seconds before the successor of one that lived less; each time twice as long."""


class Listener(NamedTuple):
    """A worker's own listening socket: made where it is unpickled, in the worker."""

    host: str
    port: int
    backlog: int

    def __reduce__(self) -> tuple[Any, ...]:
        return bound, tuple(self)


def bound(host: str, port: int, backlog: int) -> SocketHolder:
    """A socket that will listen, whose connections end when their client has been gone or deaf for long."""
    holder = SocketSpec(host, port, backlog).build()
    with socket.socket(fileno=os.dup(holder.get_fd())) as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux hands both on to the connections it accepts
            shared.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, PATIENCE_WITH_READER)
            shared.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, PATIENCE_WITH_READER * 1000)
    return holder


class Server(MPServer):
    """The workers, each with a listening socket of its own, and who looks after them."""

    def __init__(self, settings: Settings, address: str, folder: Path) -> None:
        """Workers keep temporary files in `folder`; what a dead one left in there is cleared away."""
        super().__init__(
            "service.app:app_from_env",
            address=address,
            port=settings.port,
            interface=Interfaces.ASGI,
            workers=settings.workers,
            loop=Loops.uvloop,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(header_read_timeout=PATIENCE_WITH_HEAD * 1000, max_buffer_size=LARGEST_HEAD),
            websockets=False,
            backlog=BACKLOG,
            backpressure=_most_connections(),
            log_level=LogLevels(settings.log_level),
            log_dictconfig={"loggers": {"_granian": {"propagate": True}}},
            workers_kill_timeout=PATIENCE_WITH_WORKERS,
        )
        self.has_answered = False
        self._folder = folder
        self._short_lives: dict[int, int] = {}
        self._due: dict[int, float] = {}

    def signal_handler_reload(self, *_: Any) -> None:
        """SIGHUP stops the service, as closing its terminal should."""
        self.signal_handler_interrupt()  # type: ignore[no-untyped-call]

    def _init_shared_socket(self) -> None:
        super()._init_shared_socket()  # type: ignore[no-untyped-call]  # holds the port while this process lives
        self._ssp, self._shd = None, Listener(self.bind_addr, self.bind_port, self.backlog)  # type: ignore[assignment]

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait(self._until_due())
            self.main_loop_interrupt.clear()
            while self.interrupt_children:
                self._bury(self.interrupt_children.pop())
            if not self.has_answered and sum(self._short_lives.values()) >= FALSE_STARTS:
                self.interrupt_children.append(0)  # makes it end as a failure
                return
            for place in [place for place, due in self._due.items() if due <= time.monotonic()]:
                del self._due[place]
                self._respawn_workers([place], spawn_target, target_loader)

    def _until_due(self) -> float | None:
        return max(0.0, min(self._due.values()) - time.monotonic()) if self._due else None

    def _bury(self, place: int) -> None:
        """Clears up after the worker in a place, and settles when the place is filled again."""
        from prometheus_client.multiprocess import mark_process_dead  # takes its time, and few services need it

        worker = self.wrks[place]
        mark_process_dead(worker.inner.pid)  # type: ignore[no-untyped-call]
        shutil.rmtree(self._folder / str(worker.inner.pid), ignore_errors=True)
        now = time.monotonic()
        short = 0 if now - worker.birth >= STEADY else self._short_lives.get(place, 0) + 1
        self._short_lives[place] = short
        self._due[place] = now + (min(FIRST_PAUSE * 2 ** (short - 1), LONGEST_PAUSE) if short else 0.0)


def _most_connections() -> int:
    """How many connections the system lets one worker keep, after asking it for as many files as they need."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + SPARE_FILES
    if resource.RLIM_INFINITY != files < wanted:
        files = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, most))  # workers inherit it
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(MOST_CONNECTIONS, files - SPARE_FILES))
