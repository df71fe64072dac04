"""Memory runs out, of one worker and of the machine: what it lacks for is refused or cut, and all else goes on."""

from __future__ import annotations

import contextlib
import gzip
import http.client
import itertools
import json
import os
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import docker
import psutil
import pytest

from tests.faults.checked import (
    MEMORY,
    Connection,
    Load,
    Server,
    as_form,
    free_port,
    in_a_loop,
    key_for,
    row_of,
    serving,
)
from tests.faults.test_workers import successor, until, workers
from tests.machines.cluster import SECRET, image

MEBIBYTE = 1024 * 1024
SPARE = 24 * MEBIBYTE
"""Bytes the container has left."""
WRAPPING = 60 * MEBIBYTE
"""Bytes the upload takes of a disk of memory: more than there are."""
QUESTIONS = 12
"""How much is asked for that there is no memory for."""
NEVER_KEPT = 9_999
"""The number of the write that the limit is hit by."""

OOM_KILLS = "cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null | grep oom_kill[^_]"
"""How often the kernel has killed for lack of memory, by either version of control groups."""


def rankings() -> Iterator[str]:
    """Questions nobody has asked before, each of which has to be worked out and is then kept."""
    days = (date(2012, 1, 1) + timedelta(days=number) for number in itertools.count())
    return (f"/v1/scores?buyer=USA&as_of={day}&limit=100" for day in days)


def imported(connection: Connection, server: Server, write: int, *, wrapping: int = 0) -> Any:
    """The answer to an import of one row, in a file that is larger than it needs to be."""
    field = b"\x1f\x8b\x08\x04" + bytes(6) + b"\xff\xff" + bytes(0xFFFF)  # a header with a field nobody reads,
    empty = field + gzip.compress(b"")[10:]  # and nothing
    body = empty * (wrapping // len(empty)) + gzip.compress(as_form(row_of(write)))
    told = {"Authorization": f"Bearer {server.key}", "Content_Type": "application/gzip"}
    return connection.ask(f"/v1/imports?format=form:share&reason=write-{write}", "POST", body, **told)


def times_written(dsn: str, write: int) -> int:
    """How many revisions a write has become."""

    async def count() -> int:
        connection = await asyncpg.connect(dsn)
        found = await connection.fetchval("select count(*) from revision where reason = $1", f"write-{write}")
        await connection.close()
        return int(found)

    return int(in_a_loop(count()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits the memory of a process that runs")
def test_what_a_worker_has_no_memory_for_is_refused(served: str) -> None:
    """With 503; it lives, answers what needs none, writes wholly or not at all, and recovers by itself."""
    with serving(served, workers=1) as server, contextlib.closing(Connection(server)) as connection:
        questions = rankings()
        before = connection.ask(MEMORY[0])
        (worker,) = workers(server)
        most = worker.memory_info().vms
        worker.rlimit(psutil.RLIMIT_AS, (most, psutil.RLIM_INFINITY))
        answers = [connection.ask(question) for question in itertools.islice(questions, QUESTIONS)]
        refused = [answer for answer in answers if answer.status != 200]
        assert refused, "the limit is not enforced"
        for answer in refused:
            assert (answer.status, json.loads(answer.body)["type"]) == (503, "/problems/out-of-memory"), answer
            assert int(answer.headers["retry-after"])
        assert connection.ask(MEMORY[0]).body == before.body
        write = imported(connection, server, 1)
        assert times_written(served, 1) == (write.status == 201)
        assert worker.memory_info().vms <= most
        worker.rlimit(psutil.RLIMIT_AS, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        assert imported(connection, server, 2).status == 201
        until(lambda: json.loads(connection.ask("/health/live").body)["known_at"] == 2 + (write.status == 201))
        assert connection.ask(next(questions)).status == 200
        assert [each.pid for each in workers(server)] == [worker.pid]
    print(f"{len(refused)} of {QUESTIONS} refused at {most >> 20} MiB, a write answered with {write.status}")


@contextlib.contextmanager
def contained(dsn: str) -> Iterator[tuple[Server, Any]]:
    """A service in a container that sees this machine's network and the Postgres at `dsn`; and the container.

    It has one worker, so that it is certain which of its processes the kernel takes.
    """
    name, port = image("CHOKEPOINT_TEST_IMAGE"), free_port()
    sockets = parse_qs(urlsplit(dsn).query).get("host", [])
    settings = {"DATABASE_URL": dsn, "HOST": "127.0.0.1", "PORT": port, "WORKERS": 1, "SECRET": SECRET}
    container = docker.from_env().containers.run(
        name,
        detach=True,
        user=str(os.geteuid()),
        network_mode="host",
        volumes=[f"{folder}:{folder}" for folder in sockets],
        tmpfs={"/scratch": ""},
        environment={f"CHOKEPOINT_{each}": str(value) for each, value in settings.items()}
        | {"CHOKEPOINT_LOG_LEVEL": "error", "TMPDIR": "/scratch"},
    )
    try:
        until(lambda: b"answers at" in container.logs(), 60)
        container.reload()
        process = psutil.Process(container.attrs["State"]["Pid"])
        yield Server(f"http://127.0.0.1:{port}", key_for(dsn, SECRET), process), container
    finally:
        container.remove(force=True, v=True)


def limit(container: Any, spare: int) -> int:
    """Leaves a container so many bytes beyond what it cannot give back, and no swap; the bytes that is in all."""
    usage = container.stats(stream=False)["memory_stats"]
    files = usage["stats"]["inactive_file"] + usage["stats"]["active_file"]
    most = int(usage["usage"] - files + spare)
    container.update(mem_limit=most, memswap_limit=most)
    return most


def oom_kills(container: Any) -> int:
    """How often the kernel has killed one of its processes for lack of memory."""
    return int(container.exec_run(["sh", "-c", OOM_KILLS]).output.split()[-1])


def test_a_worker_the_kernel_kills_for_its_memory_is_replaced(served: str, reference: str) -> None:
    """It dies of an import; nothing of that is in the ledger, no number is wrong, and who asks again is answered.
    With more memory the same import succeeds."""
    with contained(served) as (server, container):
        with Load(server, cuts=True) as load, contextlib.closing(Connection(server)) as connection:
            (worker,) = workers(server)
            with load.fault("memory limit hit"):
                most = limit(container, SPARE)
                with pytest.raises((OSError, http.client.HTTPException)):
                    imported(connection, server, NEVER_KEPT, wrapping=WRAPPING)
                until(lambda: successor(server, worker), seconds=60)
                limit(container, SPARE + 4 * WRAPPING)
        kills = oom_kills(container)
        assert kills, "the limit is not enforced"
        assert not times_written(served, NEVER_KEPT)
        report = load.verified(served, reference)
        print(f"{kills} killed at {most >> 20} MiB;", report)
        assert report.sound(), report
        with contextlib.closing(Connection(server)) as connection:
            assert imported(connection, server, NEVER_KEPT, wrapping=WRAPPING).status == 201
        assert times_written(served, NEVER_KEPT) == 1
        assert oom_kills(container) == kills
