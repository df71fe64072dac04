"""A steady load that checks every answer: what the tests of faults, and the soak, are judged by.

Readers ask a running service over HTTP without pause, each on one connection, and a writer commits revisions through
it. Meanwhile whoever runs the load breaks something. What is promised, and held against every answer:

* **No wrong number.** The bytes and the ETag of every answer are those of a second ledger that nothing happens to,
  which is written with the same rows and read by an application of its own. A connection is never taken back to an
  older revision, not even by a 304. Explanations are worked out again with nothing but Python's own library.
* **No read failed while a World is there.** Whatever memory can answer is answered with 200 or 304. Only a question
  about an older revision, which may have to be read, may be refused: with 503, a problem document and `Retry-After`.
* **No acknowledged write lost.** What was answered with 201 is in the ledger in the end, under the number told.
* **Recovery without a restart.** Once a fault is over, a new write is acknowledged and seen on every connection.

    with serving(dsn) as server, Load(server) as load:
        load.run(2)
        with load.fault("what it is"):
            ...                     # break something and put it right again
    report = load.verified(dsn, reference)
    assert report.sound(), report
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import hashlib
import http.client
import itertools
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from io import StringIO
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import asyncpg
import msgspec
import psutil
from httpx import AsyncClient

from service.app import create_app
from service.seeding import read_seeds
from service.settings import Secret, Settings
from service.store import keys
from service.store.ledger import revise
from service.world.rows import Share
from tests.serving import asking
from tests.verification.recompute import Recomputation

ROUNDS = int(os.environ.get("CHOKEPOINT_FAULT_ROUNDS", "1"))
"""How often a test of faults breaks what it breaks: CHOKEPOINT_FAULT_ROUNDS."""

READERS = 4
READ_EVERY = 0.005
"""Seconds a reader waits between two questions: the load is steady and no bench, and leaves the machine some room."""
WRITE_EVERY = 1.0
"""Seconds between two writes, and between two attempts at one."""
STAY = 2.0
"""Seconds that a reader stays on one connection, and so with one worker."""
OLDER_EVERY = 1.0
"""Seconds between two questions about older revisions, each of which may take a worker most of a second."""
DEADLINE = 60.0
"""Seconds in which an answer that needs the database, or a refusal, has to be there."""
WRITE_DEADLINE = 75.0
"""Seconds in which a write has to be answered, whatever becomes of it."""
RECOVERY = 120.0
"""Seconds after which a service that has not recovered counts as one that does not."""
WARM = 48
"""Connections by which every worker is certain to have been asked before anything is broken."""
MOST_VIOLATIONS = 20
"""Violations that are kept with what they say; all of them are counted."""

DAYS = ("2024-06-01", "2026-02-05")
MEMORY = [
    *(f"/v1/minerals/cobalt/score?buyer={buyer}&as_of={day}" for buyer in ("USA", "EU") for day in DAYS),
    *(f"/v1/scores?buyer=USA&as_of={day}&limit=100" for day in DAYS),
    "/v1/scores?buyer=JPN&as_of=2026-02-05&format=csv&limit=100",
    "/v1/minerals/cobalt/score/explain?buyer=USA&as_of=2026-02-05",
    "/v1/minerals/cobalt?as_of=2026-02-05",
    "/v1/agreements?party=DEU&as_of=2026-02-05&format=csv",
]
"""What is asked of the newest revision. Every new one changes the share that most of these rest on."""
PINNED = [
    "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05&known_at=1",
    "/v1/scores?buyer=USA&as_of=2026-02-05&known_at=1&limit=100",
    "/v1/minerals/cobalt/score/explain?buyer=USA&as_of=2026-02-05&known_at=1",
]
"""What is asked of the first revision, which stays in memory because it is asked for all the time: a worker keeps six
or so of older Worlds like these, and few others are asked for."""
OLDER = "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05"
"""What is asked of other older revisions, which may have to be read from the database."""

_KNOWN_AT = re.compile(rb'"known_at": ?(\d+)')


def row_of(write: int) -> Share:
    """The row that a write brings, by its number: another share of the largest producer of cobalt."""
    share = round(0.74 - write % 400 / 10_000, 4)
    return msgspec.structs.replace(_largest(), share=share, printed=f"write {write}", quantity=None, total=None)


@cache
def _largest() -> Share:
    wanted = ("usgs-mcs-2026", "cobalt", "extraction", 2025, "COD")
    rows = (row for row in read_seeds() if isinstance(row, Share))
    return next(r for r in rows if (r.source, r.mineral, r.stage, r.period_end, r.country) == wanted)


def as_form(row: Share) -> bytes:
    """A row as a file in the project's own form."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(Share.__struct_fields__)
    table.writerow(msgspec.structs.astuple(row))
    return text.getvalue().encode()


class Server(NamedTuple):
    """A service that runs: its base URL, an API key that may write, and its process."""

    base: str
    key: str
    process: psutil.Process
    keyed: bool = False
    """Whether reading needs the key too."""


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return int(attempt.getsockname()[1])


@contextlib.contextmanager
def serving(dsn: str, *, workers: int = 2, direct: str | None = None, **env: str) -> Iterator[Server]:
    """`chokepoint serve` on the ledger at `dsn`; `direct` is a way to the same ledger for making the API key."""
    secret, port = "a secret of these tests, long enough", free_port()
    settings = {"DATABASE_URL": dsn, "PORT": str(port), "WORKERS": str(workers), "SECRET": secret, **env}
    settings = {f"CHOKEPOINT_{name}": value for name, value in settings.items()} | {"CHOKEPOINT_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "service", "serve"]
    key = key_for(direct or dsn, secret)  # before the start, so that every worker knows it from the first
    with subprocess.Popen(command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            announced = process.stdout.readline()
            assert "answers at" in announced, announced
            yield Server(announced.split()[-1], key, psutil.Process(process.pid), env.get("READS") == "keyed")
        finally:
            process.terminate()
            process.wait(30)


def key_for(dsn: str, secret: str) -> str:
    """An API key that may write, for a service with a secret."""

    async def create() -> str:
        connection = await asyncpg.connect(dsn)
        _, presented = await keys.create(connection, Secret(secret.encode()), "the load", "write")
        await connection.close()
        return presented

    return in_a_loop(create())


def in_a_loop(coroutine: Any) -> Any:
    """What a coroutine returns, run in an event loop and a thread of its own, whatever else runs here."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class Answer(NamedTuple):
    """What an HTTP request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """One kept connection to a service."""

    def __init__(self, server: Server, patience: float = DEADLINE) -> None:
        place = urlsplit(server.base)
        self._always = {"Authorization": f"Bearer {server.key}"} if server.keyed else {}
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=patience)

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """The answer to a request. Raises OSError or HTTPException where the connection breaks."""
        try:
            told = self._always | {name.replace("_", "-"): value for name, value in headers.items()}
            self._connection.request(method, path, body, told)
            answer = self._connection.getresponse()
            body_read = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, body_read)

    @property
    def origin(self) -> tuple[str, int]:
        """The address and port it comes from."""
        host, port = self._connection.sock.getsockname()
        return host, port

    def close(self) -> None:
        """Closes it; the next request is made on a new one."""
        self._connection.close()


Tag = tuple[str, int | None]
"""An ETag and the revision of its answer, None where that does not tell."""


class Seen(NamedTuple):
    """One answer as it is remembered: the question without a revision, its ETag, a hash of its bytes, and the revision
    it speaks of, None for a table, which does not say that."""

    path: str
    revision: int | None
    etag: str
    digest: bytes


def seen(path: str, revision: int | None, etag: str, body: bytes) -> Seen:
    """An answer as it is remembered."""
    return Seen(re.sub(r"&known_at=\d+", "", path), revision, etag, hashlib.blake2b(body, digest_size=16).digest())


@dataclass
class Fault:
    """One fault: what was asked while it lasted and until the service had recovered, and the seconds that took from its
    end until a new write was seen on every connection."""

    name: str
    checked: int
    refused: int
    recovery: float


@dataclass
class Report:
    """What a load saw."""

    checked: int = 0
    """Answers with 200 or 304 that were compared."""
    by_status: Counter[int] = field(default_factory=Counter)
    refused: int = 0
    """Answers with 503 to questions that need the database."""
    acknowledged: int = 0
    """Writes answered with 201, or found to be there when they were tried again."""
    unanswered: int = 0
    """Attempts to write that were refused or broken off."""
    out_of_space: int = 0
    """Those of them that were refused with 507."""
    cut: int = 0
    """Connections that broke, where that is allowed."""
    faults: list[Fault] = field(default_factory=list)
    worst_gap: float = 0.0
    """Seconds between two answers from memory to one reader, at most."""
    worst_refusal: float = 0.0
    """Seconds until a question that needs the database, or a write, was answered or refused, at most."""
    different: int = 0
    """Different answers, by question and revision."""
    violations: list[str] = field(default_factory=list)
    violated: int = 0

    def violation(self, text: str) -> None:
        """Takes down that a promise was not kept."""
        self.violated += 1
        if len(self.violations) < MOST_VIOLATIONS:
            self.violations.append(text)

    def sound(self, *, checked: int = 200, writes: int = 2) -> bool:
        """Whether nothing was violated, and enough was asked and broken to say so."""
        enough = self.checked >= checked and self.acknowledged >= writes and bool(self.faults)
        return enough and not self.violated

    def __str__(self) -> str:
        worst = max((fault.recovery for fault in self.faults), default=0.0)
        lines = [
            f"faults {len(self.faults)}, answers checked {self.checked:,} ({self.different:,} different)"
            f" {dict(self.by_status)}, refused {self.refused}, cut {self.cut},"
            f" writes acknowledged {self.acknowledged}, tried in vain {self.unanswered},"
            f" worst gap {self.worst_gap:.2f} s, worst wait for the database {self.worst_refusal:.1f} s,"
            f" recovery at most {worst:.1f} s, violations {self.violated}",
            *map(self._told, dict.fromkeys(fault.name for fault in self.faults)),
            *self.violations,
        ]
        return "\n".join(lines)

    def _told(self, name: str) -> str:
        """What is to be said of the faults of one name, as a row of a table."""
        faults = [fault for fault in self.faults if fault.name == name]
        checked, refused = sum(fault.checked for fault in faults), sum(fault.refused for fault in faults)
        worst = max(fault.recovery for fault in faults)
        return f"| {name} | {len(faults)} | {checked:,} | {refused} | {worst:.1f} s |"


class Load:
    """Readers and a writer at a running service, from `with` to its end.

    `cuts` are connections that may break, as they do where a worker is killed; the request is then made once more.
    """

    def __init__(
        self, server: Server, *, readers: int = READERS, write_every: float = WRITE_EVERY, cuts: bool = False
    ) -> None:
        self.server = server
        self.report = Report()
        self.writes: dict[int, int] = {}
        """The number of the write that each acknowledged revision brought."""
        self.head = 1
        """The newest revision that was acknowledged, 1 for the shipped evidence."""
        self.no_write = threading.Lock()
        """Whoever holds it keeps writes from beginning, for a fault that is not to meet one half done."""
        self._cuts = cuts
        self._write_every = write_every
        self._seen: set[Seen] = set()
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._newest: dict[int, int] = {}
        bodies = [*(partial(self._read, place) for place in range(readers)), self._read_older, self._write]
        self._threads = [threading.Thread(target=self._guarded, args=[body]) for body in bodies]

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        self._wait_for(self.head + 1, RECOVERY)
        self._warm()  # from now on the first revision is an older one
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def run(self, seconds: float) -> None:
        """Lets the load go on for a while."""
        self._over.wait(seconds)

    @contextlib.contextmanager
    def fault(self, name: str = "fault") -> Iterator[None]:
        """Counts one fault, which is over when the block ends, and takes the time until the service has recovered."""
        checked, refused = self.report.checked, self.report.refused + self.report.unanswered
        yield
        recovery = self.recovered()
        now = self.report
        self.report.faults.append(Fault(name, now.checked - checked, now.refused + now.unanswered - refused, recovery))

    def recovered(self, patience: float = RECOVERY) -> float:
        """Waits until a write that begins from now on is seen on every connection; the seconds that takes."""
        begun = time.monotonic()
        self._wait_for(self.head + 2, patience)  # the one under way may have begun before
        return time.monotonic() - begun

    def _guarded(self, body: Callable[[], None]) -> None:
        try:
            body()
        except Exception:  # a mistake of the load's own must not pass for a load that found nothing
            self.report.violation(traceback.format_exc())

    def _wait_for(self, revision: int, patience: float) -> None:
        deadline = time.monotonic() + patience
        while len(self._newest) < len(self._threads) - 2 or min(self._newest.values()) < revision:
            if time.monotonic() > deadline or not all(thread.is_alive() for thread in self._threads):
                self.report.violation(f"not recovered: revision {revision} is not seen, but {self._newest}")
                return
            time.sleep(0.02)

    def _warm(self) -> None:
        for _ in range(WARM):
            connection = Connection(self.server)
            for path in PINNED:
                answer = connection.ask(path)
                assert answer.status == 200, answer
            connection.close()

    def _read(self, place: int) -> None:
        """One reader, which now and then takes a new connection, so that each worker gets its part."""
        chance = random.Random(place)  # noqa: S311
        etags: dict[str, Tag] = {}
        while not self._over.is_set():
            connection, newest = Connection(self.server), 0
            last = time.monotonic()
            taken = time.monotonic()
            while time.monotonic() < taken + STAY and not self._over.is_set():
                path = chance.choice(PINNED if chance.random() < 0.2 else MEMORY)
                etag = etags.get(path) if chance.random() < 0.3 else None
                answer = self._asked(connection, path, etag and etag[0])
                if answer is None:
                    break
                now = time.monotonic()
                with self._lock:
                    self.report.worst_gap = max(self.report.worst_gap, now - last)
                last = now
                newest = self._judge(path, answer, newest, etag, etags)
                self._newest[place] = newest
                time.sleep(READ_EVERY)
            connection.close()

    def _asked(self, connection: Connection, path: str, etag: str | None) -> Answer | None:
        headers = {"If_None_Match": etag} if etag else {}
        try:
            answer = connection.ask(path, **headers)
        except (OSError, http.client.HTTPException) as error:
            with self._lock:
                self.report.cut += 1
                if not self._cuts:
                    self.report.violation(f"a connection broke on {path}: {error!r}")
            time.sleep(0.05)
            return None
        with self._lock:
            self.report.by_status[answer.status] += 1
        return answer

    def _judge(self, path: str, answer: Answer, newest: int, asked: Tag | None, etags: dict[str, Tag]) -> int:
        """Takes down an answer that memory had to give; the newest revision the connection has shown by now."""
        pinned = "known_at=" in path
        etag = answer.headers.get("etag", "")
        if answer.status == 304:
            with self._lock:
                self.report.checked += 1
                if asked is None or etag != asked[0]:
                    self.report.violation(f"304 to {path} with {asked} confirms {etag}")
                elif not pinned and asked[1] is not None and asked[1] < newest:
                    self.report.violation(f"304 to {path} goes back from {newest} to {asked[1]}")
            return newest
        if answer.status != 200:
            self.report.violation(f"{answer.status} to {path}: {answer.body[:200]!r}")
            return newest
        found = _KNOWN_AT.search(answer.body)
        revision = int(found.group(1)) if found else None
        if revision is not None and not pinned and revision < newest:
            self.report.violation(f"{path} goes back from {newest} to {revision}")
        if pinned and revision != int(path.partition("known_at=")[2].partition("&")[0]):
            self.report.violation(f"{path} speaks of {revision}")
        etags[path] = (etag, revision)
        found_now = seen(path, revision, etag, answer.body)
        with self._lock:
            self.report.checked += 1
            first = found_now not in self._seen
            self._seen.add(found_now)
        if first and "/explain" in path:
            for difference in Recomputation(json.loads(answer.body)).differences():
                self.report.violation(f"{path} at {revision}: {difference}")
        return newest if pinned else max(newest, revision or 0)

    def _read_older(self) -> None:
        """Asks for older revisions, which may have to be read: the bytes in the end, or a clear refusal in time."""
        chance = random.Random("older")  # noqa: S311
        with contextlib.closing(Connection(self.server)) as connection:
            while not self._over.wait(OLDER_EVERY):
                self._ask_older(connection, chance)

    def _ask_older(self, connection: Connection, chance: random.Random) -> None:
        path = f"{OLDER}&known_at={max(1, self.head - chance.randint(0, 1))}"
        begun = time.monotonic()
        answer = self._asked(connection, path, None)
        if answer is None:
            return
        self._waited(time.monotonic() - begun)
        if answer.status == 503:
            self._refused(path, answer)
        else:
            self._judge(path, answer, 0, None, {})

    def _waited(self, seconds: float) -> None:
        with self._lock:
            self.report.worst_refusal = max(self.report.worst_refusal, seconds)

    def _refused(self, path: str, answer: Answer) -> None:
        clear = answer.headers.get("content-type") == "application/problem+json" and json.loads(answer.body)["detail"]
        with self._lock:
            self.report.refused += 1
            if not clear or not int(answer.headers.get("retry-after", "0")):
                self.report.violation(f"{answer.status} to {path} is no clear refusal: {answer}")

    def _write(self) -> None:
        """Writes one row after the other, each again and again until it is known to be in the ledger."""
        with contextlib.closing(Connection(self.server, WRITE_DEADLINE)) as connection:
            for write in itertools.count(1):
                attempts = 0
                while not self._tried(connection, write, attempts):
                    attempts += 1
                    if self._over.wait(self._write_every):
                        return
                if self._over.wait(self._write_every):
                    return

    def _tried(self, connection: Connection, write: int, attempts: int) -> bool:
        with self.no_write:
            return self._written(connection, write, attempts)

    def _written(self, connection: Connection, write: int, attempts: int) -> bool:
        path = f"/v1/imports?format=form:share&reason=write-{write}"
        headers = {"Authorization": f"Bearer {self.server.key}", "Content_Type": "text/csv"}
        begun = time.monotonic()
        try:
            answer = connection.ask(path, "POST", as_form(row_of(write)), **headers)
        except (OSError, http.client.HTTPException) as error:
            with self._lock:
                self.report.unanswered += 1
                if not self._cuts:
                    self.report.violation(f"write {write} was not answered: {error!r}")
            return False
        self._waited(time.monotonic() - begun)
        if answer.status not in (200, 201):
            self.report.unanswered += 1
            self.report.out_of_space += answer.status == 507
            if answer.status == 503:
                self._refused(path, answer)
            elif answer.status != 507:
                self.report.violation(f"{answer.status} to write {write}: {answer.body[:300]!r}")
            return False
        number = self.head + 1  # nobody else writes
        if answer.status == 201 and (told := json.loads(answer.body)["revision"]["revision"]) != number:
            self.report.violation(f"write {write} became revision {told} after {self.head}")
            number = told
        if answer.status == 200 and not attempts:
            self.report.violation(f"write {write} changed nothing: {answer.body[:300]!r}")
        with self._lock:
            self.report.acknowledged += 1
            self.writes[number] = write
            self.head = number
        return True

    def verified(self, dsn: str, reference: str) -> Report:
        """Compares what was seen and acknowledged with the ledger at `dsn` and with one at `reference`.

        The reference holds the shipped evidence as its first revision, and nothing else yet.
        """
        if not self._over.is_set():
            raise RuntimeError("the load still runs")
        in_a_loop(self._compare(dsn, reference))
        return self.report

    async def _compare(self, dsn: str, reference: str) -> None:
        await self._find_acknowledged(dsn)
        connection = await asyncpg.connect(reference)
        for number in range(2, self.head + 2):  # the last write may have been committed and not acknowledged
            write = self.writes.get(number, max(self.writes.values(), default=0) + 1)
            async with revise(connection, author="reference", reason=f"write-{write}") as draft:
                await draft.observe([row_of(write)])
            assert draft.revision is not None
            assert draft.revision.id == number
        await connection.close()
        async with asking(create_app(Settings(database_url=reference))) as client:
            await self._compare_answers(client)

    async def _find_acknowledged(self, dsn: str) -> None:
        connection = await asyncpg.connect(dsn)
        reasons = dict(await connection.fetch("select id, reason from revision"))
        await connection.close()
        for number, write in self.writes.items():
            if reasons.get(number) != f"write-{write}":
                self.report.violation(f"write {write}, acknowledged as {number}, is {reasons.get(number)!r} there")

    async def _compare_answers(self, client: AsyncClient) -> None:
        """Asks the reference the same at every revision there may have been, and looks for what was answered."""
        self.report.different = len(self._seen)
        right: set[Seen] = set()
        for number in range(1, self.head + 2):
            for path, revision in {(each.path, each.revision) for each in self._seen}:
                if revision in (number, None):
                    answer = await client.get(f"{path}&known_at={number}")
                    assert answer.status_code == 200, answer.text
                    right.add(seen(path, revision, answer.headers["etag"], answer.content))
        for wrong in self._seen - right:
            self.report.violation(f"the bytes of {wrong.path} at revision {wrong.revision} are wrong")
