"""Runs the service: one parent that owns the embedded Postgres, and the processes that answer requests.

However the parent ends, nothing of it stays: on Ctrl-C, SIGTERM and SIGHUP it stops the workers, then Postgres; when it
is killed, the workers notice and stop themselves, and the next start clears up after Postgres.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from service.discretion import DiscreetFormatter
from service.scratch import mapped_place, scratch_folder
from service.secret import secret_of
from service.server import Server
from service.settings import Access, OperatorError, Settings

EXAMPLE: Final = "/v1/minerals/cobalt/score?buyer=USA"
READY: Final = "/health/ready"

PATIENCE_WITH_PORT: Final = 3.0
"""Seconds to wait for a port that workers of a killed parent are just leaving."""

PARENT_CHECK: Final = 0.5
"""Seconds between two looks at whether the process that started this one is still there."""


class ServeError(OperatorError):
    """The service cannot listen where it was told to."""


def configure_logging(settings: Settings) -> None:
    """Messages of the settings' level and above go to stderr; stdout is for results."""
    handler = logging.StreamHandler()
    handler.setFormatter(DiscreetFormatter("[%(levelname)s] %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])


def stop_when(gone: Callable[[], object]) -> None:
    """Ask this process to stop, as SIGTERM does, once `gone` returns; `gone` waits for whoever it depends on."""

    def wait() -> None:
        gone()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def await_orphanhood() -> None:
    """Return when the process that started this one has ended."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(PARENT_CHECK)


def free_address(settings: Settings) -> str:
    """The IP address of the settings' host, where their port is free. Raises ServeError.

    Workers share the port, and the kernel would let a stranger's worker share it too; so it is tried without sharing.
    """
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ServeError(f"CHOKEPOINT_HOST is {settings.host!r}: {error.strerror}") from None
    family, kind, protocol, _, address = found[0]
    deadline = time.monotonic() + PATIENCE_WITH_PORT
    while True:
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(address)
                return str(address[0])
            except OSError as error:
                if time.monotonic() >= deadline:
                    raise ServeError(
                        f"cannot listen on {settings.host}, port {settings.port}: {error.strerror}; "
                        "set CHOKEPOINT_HOST or CHOKEPOINT_PORT"
                    ) from None
        time.sleep(0.1)


def serve(settings: Settings, access: Access) -> None:
    """Answer requests from a ledger until told to stop. Raises SystemExit where the workers cannot run."""
    address = free_address(settings)
    os.environ |= {"CHOKEPOINT_DATABASE_URL": access.write, "CHOKEPOINT_READ_URL": access.read}
    os.environ.pop("CHOKEPOINT_MIGRATE_URL", None)  # workers have no business with the schema
    if settings.database_url is None or settings.reads == "keyed":  # elsewhere keys are the operator's choice
        os.environ["CHOKEPOINT_SECRET"] = secret_of(settings).value.decode()
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # no worker multiplies matrices worth more threads
    # a forked worker would keep its parent's files open, and with them the lock on the home folder
    multiprocessing.set_start_method("spawn", force=True)
    # a worker would import the main module first, the whole command line, if it could tell from where
    vars(sys.modules["__main__"]).pop("__file__", None)
    base = f"http://{f'[{address}]' if ':' in address else address}:{settings.port}"
    with scratch_folder(mapped_place()) as counters, scratch_folder() as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counters)  # where the workers' counters are added up
        os.environ["TMPDIR"] = str(folder)
        server = Server(settings, address, folder)
        threading.Thread(target=_announce, args=[base, server], daemon=True).start()
        server.serve(target_loader=_load_app)


def _load_app(_target: str) -> Any:
    """The application, in a worker that leaves Ctrl-C to its parent and does not outlive it."""
    os.setpgid(0, 0)  # the terminal sends Ctrl-C to a whole process group
    parent = multiprocessing.parent_process()
    assert parent is not None
    stop_when(parent.join)
    configure_logging(Settings.from_env(os.environ))
    uploads = Path(os.environ["TMPDIR"]) / str(os.getpid())
    uploads.mkdir(mode=0o700)
    tempfile.tempdir = str(uploads)  # where the parent clears up if this worker is killed

    from service.app import app_from_env  # only workers pay for loading it

    return app_from_env()


def _announce(base: str, server: Server) -> None:
    """Say where the service answers, once it does."""
    local = base.replace("//0.0.0.0", "//127.0.0.1").replace("//[::]", "//[::1]")
    while not _is_ready(local):
        time.sleep(0.05)
    server.has_answered = True
    click.echo(f"Chokepoint answers at {local}\nTry:  curl '{local}{EXAMPLE}'")


def _is_ready(base: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(base + READY, timeout=1):
            return True
    except OSError:
        return False
