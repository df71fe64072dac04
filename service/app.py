"""Wiring: settings in, the ASGI application out."""

from __future__ import annotations

import contextlib
import gc
import os
from typing import TYPE_CHECKING, Any

from litestar import Litestar
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.spec import Components, License

from schemas import __version__
from service.http import keys, metrics, minimum, problems, reads, secure
from service.http.catalog import CatalogController
from service.http.changes import ChangeController
from service.http.compare import CompareController
from service.http.docs import PATH, DocsPage, Pages
from service.http.effects import EffectController
from service.http.explain import ExplainController
from service.http.formats import provide_paging
from service.http.imports import ImportController
from service.http.keys import Gate, Keyring
from service.http.levers import LeverController
from service.http.limits import Limits
from service.http.meta import HealthController, MethodController
from service.http.openapi import StructPlugin
from service.http.patience import patient
from service.http.plain import Plain
from service.http.ready import Ready
from service.http.reports import ReportController
from service.http.revisions import RevisionController
from service.http.scenarios import ScenarioController
from service.http.scores import ScoreController
from service.http.ties import TieController
from service.http.verification import VerificationController
from service.http.worlds import Worlds
from service.settings import Settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from litestar.types import ASGIApp, HTTPScope, Message, Receive, Send
    from litestar.types import Scope as AnyScope

    from service.http.fields import Fields, Finish

LARGEST_BODY = 1024 * 1024
"""Bytes of request body accepted."""

SEARCHED_AFTER = 10_000
"""Objects more than before that could be part of a cycle, after which the youngest of them are searched."""

DESCRIPTION = """\
How risky is it for this buyer to depend on this mineral, today, and why?

Every number names its source; every answer carries `as_of`, `known_at` and `data_version`, and asking again with
the same `as_of` and `known_at` gives the same bytes. Errors are `application/problem+json` (RFC 9457).
"""

CONTROLLERS = (
    ScoreController,
    LeverController,
    CompareController,
    ExplainController,
    RevisionController,
    ChangeController,
    CatalogController,
    TieController,
    EffectController,
    ScenarioController,
    ImportController,
    ReportController,
    MethodController,
    VerificationController,
    HealthController,
)
"""What answers requests, one for each resource."""

_READS = frozenset(("GET", "HEAD"))


class Chokepoint(Litestar):
    """The application, with finished answers given again before any routing."""

    gate: Gate
    ready: Ready
    framework: ASGIApp

    # no coroutine itself, which would be one more to step through
    def __call__(self, scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
        """The ASGI entry point."""
        if scope["type"] != "http":
            return super().__call__(scope, receive, send)
        if self.gate.open_to_reads and scope["method"] in _READS:
            return self.ready.answer(scope, receive, send)
        if self.gate.stands_open(scope):
            return self._answer(scope, receive, send)
        return self.gate(scope, receive, send, self._answer)

    def _answer(self, scope: HTTPScope, receive: Receive, send: Send, told: Fields = ()) -> Coroutine[Any, Any, None]:
        if scope["method"] in _READS:
            return self.ready.answer(scope, receive, send, told)
        return metrics.counted(scope, patient(receive), send, self.framework, told)


def create_app(settings: Settings) -> Litestar:
    """The application for some settings. The ledger is read when it starts."""
    access = settings.access
    if access is None:
        raise ValueError("the application needs a database URL; `chokepoint serve` provides one")
    worlds = Worlds(access.read, access.write)
    keyring = Keyring(access.read, settings.secret)

    finishing = [secure.add_fields, *([keys.keep_private] if settings.reads == "keyed" else [])]

    @contextlib.asynccontextmanager
    async def following(_: Litestar) -> AsyncIterator[None]:
        async with metrics.gathering(), worlds.running(), keyring.running():
            yield

    app = Chokepoint(
        plugins=[StructPlugin()],
        route_handlers=CONTROLLERS,
        dependencies={
            "worlds": Provide(lambda: worlds, sync_to_thread=False),
            "view": Provide(reads.provide_view),
            "paging": Provide(provide_paging, sync_to_thread=False),
        },
        middleware=[minimum.Waiting(worlds)],
        before_request=reads.refuse_unknown_parameters,
        before_send=[_hook(finish) for finish in finishing],
        exception_handlers=problems.HANDLERS,
        lifespan=[following],
        openapi_config=_openapi(),
        request_max_body_size=LARGEST_BODY,
        logging_config=None,
    )
    app.framework = super(Chokepoint, app).__call__
    app.ready = Ready(worlds, Plain(worlds, finishing), app.framework)
    app.gate = Gate(keyring, Limits(settings.rate_limit), settings.reads, secure.FIELDS)
    return app


def _hook(finish: Finish) -> Callable[[Message, AnyScope], Awaitable[None]]:
    async def hook(message: Message, scope: AnyScope) -> None:
        finish(message, scope)

    return hook


def _openapi() -> OpenAPIConfig:
    return OpenAPIConfig(
        title="Chokepoint",
        version=__version__,
        description=DESCRIPTION,
        summary="Supply-chain risk of critical minerals, buyer by buyer",
        license=License(name="Apache-2.0", identifier="Apache-2.0"),
        components=Components(security_schemes={"key": keys.SCHEME}),
        security=[{}, *keys.SECURITY],
        openapi_router=Pages(path="/", route_handlers=[], include_in_schema=False),
        render_plugins=[DocsPage(path=PATH)],
        use_handler_docstrings=True,
    )


def app_from_env() -> Litestar:
    """The application for the settings of the environment: the factory the server's workers call."""
    app = create_app(Settings.from_env(os.environ))
    # all requests wait while cycles are searched for: what stays as long as the process is left out, and since what is
    # kept of answers and Worlds has none, the search need not come often
    gc.freeze()
    gc.set_threshold(SEARCHED_AFTER)
    return app


def openapi() -> dict[str, Any]:
    """The contract as the application publishes it."""
    app = create_app(Settings(database_url="postgresql://nobody@localhost/none"))
    return app.openapi_schema.to_schema()
