"""A steady load on several machines: readers that check every byte, a writer that remembers what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx

from service.http.minimum import HEADER

READERS = 4
PATIENCE = 30.0
"""Seconds in which every request has to be answered, be it by a refusal."""
PAUSE = 0.3
"""Seconds between two writes, and between two attempts at one."""

HEAD = "/v1/minerals/cobalt?as_of=2026-02-05"
"""What is asked of the newest revision."""


class Load:
    """Reads and writes through a balancer while the block runs, and what came of them.

    A read fails if it is not answered with 200 and the bytes expected; one that demands a revision fails if an older
    one answers, and may be refused with 503 and `Retry-After`. A write that was not acknowledged is made again.
    """

    def __init__(self, url: str, key: str, expected: Mapping[str, bytes], newest: int) -> None:
        self.checked = 0
        self.refused: Counter[str] = Counter()
        self.failures: list[str] = []
        self.acknowledged: dict[int, str] = {}
        """The reason of every revision that a write was answered with."""
        self.newest = newest
        self._url = url
        self._key = key
        self._expected = expected

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Load]:
        """The load."""
        async with httpx.AsyncClient(base_url=self._url, timeout=PATIENCE, trust_env=False) as client:
            tasks = [self._read(client), self._read_newest(client), self._write(client)]
            tasks += [self._read(client) for _ in range(READERS - 2)]
            running = [asyncio.create_task(task) for task in tasks]
            yield self
            for task in running:
                task.cancel()
            for outcome in await asyncio.gather(*running, return_exceptions=True):
                if not isinstance(outcome, asyncio.CancelledError):
                    self.failures.append(repr(outcome))

    async def _read(self, client: httpx.AsyncClient) -> None:
        for path in itertools.cycle(self._expected):
            answer = await self._asked(client, path)
            if answer is not None:
                self.checked += 1
                if (answer.status_code, answer.content) != (200, self._expected[path]):
                    self.failures.append(f"{answer.status_code} to {path}: {answer.text[:200]}")

    async def _read_newest(self, client: httpx.AsyncClient) -> None:
        while True:
            demanded = self.newest
            answer = await self._asked(client, HEAD, {HEADER: str(demanded)})
            if answer is None:
                continue
            self.checked += 1
            if answer.status_code == 503 and "retry-after" in answer.headers:
                self.refused["reads that demand a revision"] += 1
            elif answer.status_code != 200 or answer.json()["known_at"] < demanded:
                self.failures.append(f"{answer.status_code} to {demanded} demanded: {answer.text[:200]}")
            else:
                self.newest = max(self.newest, answer.json()["known_at"])

    async def _asked(
        self, client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None
    ) -> httpx.Response | None:
        try:
            return await client.get(path, headers=headers)
        except httpx.HTTPError as error:
            self.failures.append(f"{error!r} to {path}")
            return None

    async def _write(self, client: httpx.AsyncClient) -> None:
        for number in itertools.count(1):
            while not await self._written(client, f"write {number}", tables(number)):
                await asyncio.sleep(PAUSE)
            await asyncio.sleep(PAUSE)

    async def _written(self, client: httpx.AsyncClient, reason: str, table: bytes) -> bool:
        try:
            answer = await client.post(
                "/v1/imports",
                params={"format": "form:share", "source": "usgs-mcs-2026", "reason": reason},
                content=table,
                headers={"authorization": f"Bearer {self._key}", "content-type": "text/csv"},
            )
        except httpx.HTTPError as error:
            self.refused[f"writes: {type(error).__name__}"] += 1
            return False
        if answer.status_code == 201:
            number = answer.json()["revision"]["revision"]
            self.acknowledged[number] = reason
            self.newest = max(self.newest, number)
        elif answer.status_code != 200:  # which says that an attempt before was committed after all
            self.refused[f"writes: {answer.status_code}"] += 1
        return answer.status_code in (200, 201)


def tables(number: int) -> bytes:
    """A file with another share each time."""
    share = 0.5 + number / 10_000
    columns = "mineral,stage,country,share,period_start,period_end,printed"
    return f"{columns}\ncobalt,extraction,COD,{share},2026,2026,{share}\n".encode()
