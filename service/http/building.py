"""Building Worlds while requests are answered: beside them, and what is small at once."""

from __future__ import annotations

import asyncio
import sys
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from time import thread_time
from typing import TYPE_CHECKING, TypeVar

from service.http import metrics
from service.world.carrying import carry
from service.world.sheet import sheet_on
from service.world.world import World, build

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from service.world.evidence import Evidence

TURN, SHORT_TURN = sys.getswitchinterval(), 0.0005
"""Seconds a thread runs before another that waits has its turn: ordinarily, and while a World is built."""

STANDSTILL = 0.06
"""Seconds for which no answer is given while the World of a new revision is built."""

_builder = ThreadPoolExecutor(1, "builder")
"""Builds the World of the newest revision: not in line behind what requests have others do."""

T = TypeVar("T")


async def beside(work: Callable[[], T]) -> T:
    """Does some work in a thread beside the one that answers, both in short turns.

    By the interpreter's default the one that answers would wait 5 ms each time it comes to wait for anything, and the
    work, which often lets go of the interpreter for moments, as long to have it back: on a busy worker that made 80 ms
    of 12.
    """
    return await _in_short_turns(asyncio.get_running_loop().run_in_executor(None, work))


async def promptly(work: Callable[[], T]) -> T:
    """Does some work as `beside` does, and stands still for it first.

    What a correction takes is done by then, in a third of the time it takes in turns with answers; nobody who waits for
    one meanwhile waits longer than when both go on at once. What takes longer goes on beside.
    """
    working = _builder.submit(work)
    wait([working], STANDSTILL)
    return await _in_short_turns(asyncio.wrap_future(working))


async def _in_short_turns(working: asyncio.Future[T]) -> T:
    sys.setswitchinterval(SHORT_TURN)
    try:
        return await working
    finally:
        sys.setswitchinterval(TURN)


def build_warm(evidence: Evidence, base: World | None) -> World:
    """A World whose sheet of today is laid out, and sampled if it is the first one, so that no request waits for it.

    What was worked out from the World before and is the same in this one is taken over; its draws are, by `draw`.
    """
    begun = thread_time()
    world, today = build(evidence, base), _today()
    if base is None:
        _ = sheet_on(world, today).sample
    else:
        _ = sheet_on(base, today)  # of the sheets asked for last, which are taken over, it is one
        carry(base, world)
        _ = sheet_on(world, today)
    metrics.BUILDING.inc(thread_time() - begun)
    return world


def draw(world: World, base: World) -> None:
    """Samples the sheet of today, where it is another than in the World before: only what has changed is drawn.

    Lists alone need it, and it is megabytes that are copied: so a World is served first and sampled then. A list that
    is asked for in between draws for itself, the same.
    """
    begun = thread_time()
    sheet, before = sheet_on(world, _today()), sheet_on(base, _today())
    if sheet is not before:
        sheet.draw_after(before)
    metrics.BUILDING.inc(thread_time() - begun)


def _today() -> date:
    return datetime.now(UTC).date()
