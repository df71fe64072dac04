"""The limit: an ASGI application that sends everybody the same bytes, as many as a score has, under the same head."""

from __future__ import annotations

import json
import os
from typing import Any

BODY = b"x" * int(os.environ.get("BENCH_BYTES", "5000"))
HEAD = json.loads(os.environ.get("BENCH_HEAD", '[["content-type", "application/json"]]'))
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(name.lower().encode(), value.encode()) for name, value in HEAD]
    + [(b"content-length", str(len(BODY)).encode())],
}


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send(START)
    await send({"type": "http.response.body", "body": BODY})
