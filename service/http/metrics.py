"""What the service counts, in Prometheus' text format; several workers are added up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from functools import cache
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

    from service.http.fields import Fields

REQUESTS = Counter("chokepoint_requests", "Answers given, by route and status.", ["route", "status"])
COMPUTING = Histogram(
    "chokepoint_computing_seconds",
    "Time to work out an answer that was not ready, by route.",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
REVISION = Gauge("chokepoint_revision", "The ledger revision served.", multiprocess_mode="livemin")
DATABASE_UP = Gauge("chokepoint_database_up", "1 while the database answers.", multiprocess_mode="livemin")
WORKING = Counter("chokepoint_working_seconds", "Processor time of the workers, all their threads together.")
BUILDING = Counter("chokepoint_building_seconds", "Of that, the time spent on building the World of a newer revision.")
SWAPS = Counter("chokepoint_world_swaps", "How often a newer revision was taken up.")

CONTENT_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
"""Without the charset, which the framework adds."""


GATHER_EVERY = 0.25
"""Seconds that counts of answers may stay in the process before they reach the counters that all workers share."""


class Tally:
    """Answers of one route with one status. A shared counter takes a lock and a file for each step, a tally nothing."""

    __slots__ = ("_shared", "count")

    def __init__(self, route: str, status: int) -> None:
        self.count = 0
        self._shared = REQUESTS.labels(route, status)

    def gather(self) -> None:
        """Adds what was counted to the shared counter."""
        if self.count:
            self._shared.inc(self.count)
            self.count = 0


_tallies: dict[tuple[str, int], Tally] = {}


def tally(route: str, status: int) -> Tally:
    """Where answers of a route with a status are counted."""
    found = _tallies.get((route, status))
    if found is None:
        found = _tallies[route, status] = Tally(route, status)
    return found


def answered(route: str, status: int) -> None:
    """Counts one answer."""
    tally(route, status).count += 1


def gather() -> None:
    """Adds all that was counted to the shared counters."""
    for each in _tallies.values():
        each.gather()


@contextlib.asynccontextmanager
async def gathering() -> AsyncIterator[None]:
    """Gathers counts every moment while the block runs, and at its end."""

    async def gather_again_and_again() -> None:
        before = time.process_time()
        while True:
            await asyncio.sleep(GATHER_EVERY)
            gather()
            now = time.process_time()
            WORKING.inc(now - before)
            before = now

    task = asyncio.create_task(gather_again_and_again())
    try:
        yield
    finally:
        task.cancel()
        gather()


def computed(route: str, seconds: float) -> None:
    """Records how long an answer took to work out."""
    _computing(route).observe(seconds)


_computing = cache(COMPUTING.labels)
"""There are as many routes as the contract has paths."""


async def counted(scope: HTTPScope, receive: Receive, send: Send, app: ASGIApp, told: Fields) -> None:
    """Lets the app answer a request that is no read, counts the answer and records how long it took.

    `told` are header fields of this answer alone.
    """
    started, status = time.perf_counter(), 500

    async def telling(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
            message = {**message, "headers": [*message["headers"], *told]}
        await send(message)

    try:
        await app(scope, receive, telling)
    finally:
        route = str(scope.get("path_template") or "(none)")
        answered(route, status)
        computed(route, time.perf_counter() - started)


def exposition() -> bytes:
    """The metrics of all workers as text."""
    gather()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
