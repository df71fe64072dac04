"""How long a client may take over a request's body: a deadline that moves on with every byte that has come."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from service.http.problems import Refusal

if TYPE_CHECKING:
    from litestar.types import HTTPReceiveMessage, Receive

GRACE = 20.0
"""Seconds any body may take."""

SLOWEST = 16 * 1024
"""Bytes that each further second has to be paid with."""


class TooSlow(Refusal):
    """A body that has not come in time."""

    status, type, title = 408, "request-timeout", "The body has not come in time"

    def __init__(self) -> None:
        detail = f"a body has {GRACE:g} s, and a second more for every {SLOWEST // 1024} KiB that have come"
        super().__init__(detail, headers={"Connection": "close"})


def patient(receive: Receive) -> Receive:
    """A request's `receive` that raises TooSlow where the body stalls or drips. What comes after it is waited for."""
    deadline = time.monotonic() + GRACE
    over = False

    async def within_time() -> HTTPReceiveMessage:
        nonlocal deadline, over
        if over:
            return await receive()  # type: ignore[return-value]
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise TooSlow from None
        if message["type"] == "http.request":
            deadline += len(message["body"]) / SLOWEST
            over = not message["more_body"]
        return message  # type: ignore[return-value]

    return within_time
