"""The least revision an answer may come from: whoever has seen revision 12 anywhere is never answered from 11 here.

A condition of the request, as `If-Match` is one, and no part of what is asked: the answer is the same with and without,
and only whether this process may give it depends on the header. So it is a header, and no cache has to know it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.openapi.spec import OpenAPIType, Parameter, Schema

from service.http.problems import InvalidRequest, fault_in

if TYPE_CHECKING:
    from litestar.types import ASGIApp, Receive, Scope, Send

    from service.http.worlds import Worlds
    from service.world.world import World

HEADER: Final = "Chokepoint-Min-Revision"
FIELD: Final = HEADER.lower().encode()
"""The header's name as a server hands it over."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)

PARAMETER: Final = Parameter(
    name=HEADER,
    param_in="header",
    schema=Schema(type=OpenAPIType.INTEGER, minimum=1, maximum=10**18 - 1),
    description="The least revision to answer from: that of a write's answer, or the `known_at` of an earlier read, be"
    " it another replica's. One that lags behind waits for up to a second, then answers 503 with `Retry-After`, and"
    " never from an older revision.",
)


def met(demanded: bytes, world: World | None) -> bool:
    """Whether a World is of the demanded revision or a newer one; False as well for what is no revision's number."""
    number = demanded.decode("latin-1")
    return world is not None and _NUMBER.fullmatch(number) is not None and int(number) <= world.revision


class Waiting(ASGIMiddleware):
    """Lets a request pass once the revision it demands is served. Raises InvalidRequest and Behind.

    No guard: for each guard the framework copies the route's handler anew with every request.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, worlds: Worlds) -> None:
        self._worlds = worlds

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Waits where the request demands a revision, and passes it on."""
        demanded = [value.decode("latin-1") for name, value in scope["headers"] if name == FIELD]
        if len(demanded) > 1 or not all(map(_NUMBER.fullmatch, demanded)):
            detail = "is one revision's number, from 1 on"
            raise InvalidRequest(f"{HEADER}: {detail}", fault_in(HEADER, detail))
        if demanded:
            await self._worlds.reach(int(demanded[0]))
        await next_app(scope, receive, send)
