"""Workers are killed under a checked load: whoever another one answers notices nothing, and each is replaced."""

from __future__ import annotations

import http.client
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, run
from typing import Any

import psutil
import pytest

from tests.faults.checked import ROUNDS, Answer, Connection, Load, Server, free_port, serving

PATH = "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05"


def workers(server: Server) -> list[psutil.Process]:
    """The processes that answer, as they live now."""
    return [child for child in server.process.children() if _answers(child)]


def _answers(child: psutil.Process) -> bool:
    try:
        return "--multiprocessing-fork" in child.cmdline()
    except psutil.NoSuchProcess:  # dead, or dead and not buried yet
        return False


def until(true: Callable[[], Any], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def successor(server: Server, *known: psutil.Process) -> list[psutil.Process]:
    """The worker that is none of those known."""
    return [worker for worker in workers(server) if worker not in known]


def asked_once(server: Server, path: str) -> Answer:
    """What a new connection is answered."""
    with closing(Connection(server)) as connection:
        return connection.ask(path)


class Newcomer:
    """Somebody who asks on a new connection each time, one after the other, and counts what is not answered."""

    def __init__(self, server: Server) -> None:
        self.asked = self.failed = 0
        self._server = server
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Newcomer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._over.wait(0.003):
            try:
                self.failed += asked_once(self._server, PATH).status != 200
            except (OSError, http.client.HTTPException):
                self.failed += 1
            self.asked += 1


def test_a_killed_worker_costs_only_the_requests_it_was_at(served: str, reference: str) -> None:
    """At most one of somebody who asks one thing at a time; the place is filled again, and no number is wrong."""
    chance = random.Random(1)  # noqa: S311
    with serving(served) as server, Load(server, cuts=True) as load, Newcomer(server) as newcomer:
        for _ in range(ROUNDS):
            with load.fault():
                time.sleep(chance.uniform(0, 0.5))
                chance.choice(workers(server)).kill()
                until(lambda: len(workers(server)) == 2)
    report = load.verified(served, reference)
    print(f"{newcomer.asked} new connections, {newcomer.failed} of them cut;", report)
    assert newcomer.failed <= ROUNDS
    assert report.sound(), report


def test_when_all_workers_die_at_once_all_come_back(served: str, reference: str) -> None:
    """What they had counted stays counted, and what they were at is not served as what is."""
    with serving(served) as server, Load(server, cuts=True) as load:
        for _ in range(ROUNDS):
            with load.fault():
                for worker in workers(server):
                    worker.kill()
                until(lambda: len(workers(server)) == 2)
        metrics = asked_once(server, "/metrics").body.decode()
    report = load.verified(served, reference)
    print(report)
    assert report.sound(), report
    revision = next(line for line in metrics.splitlines() if line.startswith("chokepoint_revision "))
    assert float(revision.split()[1]) >= load.head - 1


def test_a_worker_that_dies_over_and_over_takes_nobody_with_it(served: str, reference: str) -> None:
    """The other one answers meanwhile, and the pauses before each attempt grow."""
    with serving(served) as server, Load(server, cuts=True) as load:
        victim, survivor = workers(server)
        with load.fault():
            for _ in range(3):
                victim.kill()
                until(partial(successor, server, victim, survivor))
                victim = successor(server, victim, survivor)[0]
        assert survivor.is_running()
    report = load.verified(served, reference)
    print(report)
    assert report.sound(), report


def test_where_no_worker_can_live_the_service_ends(served: str, tmp_path: Path) -> None:
    """Rather than try for ever what has never worked; whoever runs it is told by the exit code."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\nif '--multiprocessing-fork' in sys.orig_argv:\n    os._exit(3)\n"
    )
    env = {**os.environ, "CHOKEPOINT_DATABASE_URL": served, "CHOKEPOINT_PORT": str(free_port())}
    env["PYTHONPATH"] = os.pathsep.join([str(tmp_path), env.get("PYTHONPATH", "")])
    ended = run([sys.executable, "-m", "service", "serve"], env=env, check=False, timeout=60, stderr=DEVNULL)
    assert ended.returncode == 1


def test_nothing_a_killed_service_leaves_stays(served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next start clears it away, and touches nothing of one that still runs."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with serving(served, workers=1) as running:
        kept = set(tmp_path.iterdir())
        assert len(kept) == 1
        with serving(served, workers=1) as server:
            left = set(tmp_path.iterdir()) - kept
            server.process.send_signal(signal.SIGKILL)
            until(lambda: not psutil.pid_exists(server.process.pid) or not workers(server))
        assert len(left) == 1
        assert left < set(tmp_path.iterdir())
        with serving(served, workers=1):
            assert len(set(tmp_path.iterdir())) == 2
            assert not left & set(tmp_path.iterdir())
        assert set(tmp_path.iterdir()) == kept
        assert asked_once(running, "/metrics").status == 200
    assert not list(tmp_path.iterdir())
