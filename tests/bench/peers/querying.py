"""Litestar and asyncpg, with a query per request: the service's own libraries without the World."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import msgspec
from litestar import Litestar, Response, get
from litestar.params import FromPath

QUERY = """
select source, stage, period_start, period_end, country, share, printed from share
where mineral = $1 and not retracted order by stage, source, share desc nulls last
"""


@asynccontextmanager
async def pool(app: Litestar) -> AsyncIterator[None]:
    async def keep(_: Any) -> None:
        """No session state is left behind, so nothing has to be reset."""

    app.state.pool = await asyncpg.create_pool(os.environ["CHOKEPOINT_DATABASE_URL"], reset=keep)
    yield
    await app.state.pool.close()


@get("/v1/minerals/{mineral:str}/score")
async def shares(mineral: FromPath[str], request: Any) -> Response[bytes]:
    found = await request.app.state.pool.fetch(QUERY, mineral)
    return Response(msgspec.json.encode([tuple(row.values()) for row in found]), media_type="application/json")


app = Litestar([shares], lifespan=[pool], openapi_config=None, logging_config=None)
