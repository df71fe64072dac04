"""A Litestar handler that returns constant bytes: what a request costs that gets as far as a handler."""

from __future__ import annotations

import os

from litestar import Litestar, Response, get

BODY = b"x" * int(os.environ.get("BENCH_BYTES", "5000"))


@get("/v1/minerals/{mineral:str}/score")
async def constant(mineral: str) -> Response[bytes]:
    return Response(BODY, media_type="application/json")


app = Litestar([constant], openapi_config=None, logging_config=None)
