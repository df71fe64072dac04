"""What the service counts, in Prometheus' text format; several workers are added up."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter as Counts
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send

REQUESTS = Counter("chokepoint_requests", "Answers given, by route and status.", ["route", "status"])
COMPUTING = Histogram(
    "chokepoint_computing_seconds",
    "Time to work out an answer that was not ready, by route.",
    ["route"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0),
)
REVISION = Gauge("chokepoint_revision", "The ledger revision served.", multiprocess_mode="min")
DATABASE_UP = Gauge("chokepoint_database_up", "1 while the database answers.", multiprocess_mode="min")
SWAPS = Counter("chokepoint_world_swaps", "How often a newer revision was taken up.")

CONTENT_TYPE = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")
"""Without the charset, which the framework adds."""


FLUSH_AFTER = 0.25
"""Seconds that counts of answers may wait in the process before they reach the counters that all workers share."""

_waiting: Counts[tuple[str, int]] = Counts()


def answered(route: str, status: int) -> None:
    """Counts one answer. A shared counter takes a lock and a file for each step, so steps are gathered for a moment."""
    if not _waiting:
        asyncio.get_running_loop().call_later(FLUSH_AFTER, flush)
    _waiting[route, status] += 1


def flush() -> None:
    """Adds what was counted in the meantime to the counters."""
    for (route, status), count in _waiting.items():
        REQUESTS.labels(route, status).inc(count)
    _waiting.clear()


def computed(route: str, seconds: float) -> None:
    """Records how long an answer took to work out."""
    COMPUTING.labels(route).observe(seconds)


async def counted(scope: HTTPScope, receive: Receive, send: Send, app: ASGIApp) -> None:
    """Lets the app answer a request that is no read, counts the answer and records how long it took."""
    started, status = time.perf_counter(), 500

    async def telling(message: Message) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        await send(message)

    try:
        await app(scope, receive, telling)
    finally:
        route = str(scope.get("path_template") or "(none)")
        answered(route, status)
        computed(route, time.perf_counter() - started)


def exposition() -> bytes:
    """The metrics of all workers as text."""
    flush()
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return generate_latest()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
