"""Methods, health, metrics and the files of the documentation page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from litestar import Controller, Request, Response
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from schemas.catalog import MethodDetail, MethodItem, MethodList
from schemas.common import Health
from schemas.text import SLUG
from service.answers.methods import FLAGS as METHOD_FLAGS
from service.answers.score import FLAGS, MIXES
from service.http import metrics
from service.http.docs import ASSETS_PATH, asset
from service.http.names import find
from service.http.openapi import ReadOperation
from service.http.problems import NotFound, fault_in
from service.http.reads import WorldsDependency, constant, read
from service.http.worlds import Worlds
from service.methods import ENGINES
from service.risk.methods import METHODS
from service.risk.methods.partner_adjusted import BANDS
from service.risk.methods.partner_adjusted import ID as DEFAULT
from service.risk.partners import LADDER, RestrictionType, Tier

MethodName = Annotated[
    str,
    PathParameter(
        pattern=SLUG,
        max_length=80,
        description="A method's id.",
        examples=[Example(value="partner-adjusted")],
    ),
]


def _ladder() -> dict[str, Any]:
    """The ladder of ties and restrictions as it is published."""
    return {
        "convention": "No published method grades how binding an agreement is: this ladder is this project's own.",
        "ties": [{"tie": t.label, "meaning": t.description, **asdict(LADDER.tau(t))} for t in Tier],
        "restrictions": [
            {"type": r.label, "meaning": r.description, **asdict(LADDER.r(r))}
            for r in RestrictionType
            if r is not RestrictionType.NONE
        ],
    }


def _default_parameters() -> dict[str, Any]:
    bands = [{"band": name, "below": None if end > 100 else round(float(end), 4)} for name, end in BANDS]
    return {"ladder": _ladder(), "bands": bands, "mixes": MIXES, "flags": FLAGS, **_scale(DEFAULT)}


def _parameters(method: str) -> dict[str, Any]:
    return {"flags": METHOD_FLAGS, **_scale(method)}


def _scale(method: str) -> dict[str, Any]:
    return {"unit": ENGINES[method].unit, "meaning": ENGINES[method].meaning}


class MethodController(Controller):
    """How scores come about."""

    path = "/v1/methods"
    tags = ["methods"]  # noqa: RUF012 - the framework reads a list

    @read("/", "list_methods", summary="All methods")
    async def methods(self) -> Response[MethodList]:
        """The scoring methods, the default first."""
        items = [MethodItem(id=m.id, version=m.version, title=m.title) for m in METHODS.values()]
        return constant(MethodList(items=items), "methods")

    @read("/{method:str}", "get_method", summary="One method")
    async def method(self, method: MethodName) -> Response[MethodDetail]:
        """A method's documentation: formula, parameters, validity, limits; with its ladder, bands and flags."""
        found = find(METHODS, method, "method", "method")
        detail = MethodDetail(
            id=found.id,
            version=found.version,
            title=found.title,
            documentation=found.docs,
            parameters=_default_parameters() if found.id == DEFAULT else _parameters(found.id),
        )
        return constant(detail, "method", method)


class HealthController(Controller):
    """For whoever runs the service."""

    tags = ["operation"]  # noqa: RUF012 - the framework reads a list

    @read("/health/live", "get_liveness", ReadOperation, summary="Is the process alive?")
    async def live(self, worlds: WorldsDependency) -> Response[Health]:
        """200 as long as the process answers at all."""
        return Response(_health(worlds, "live"), headers={"Cache-Control": "no-store"})

    @read("/health/ready", "get_readiness", ReadOperation, summary="Can it answer?")
    async def ready(self, worlds: WorldsDependency) -> Response[Health]:
        """200 when reads are answered; `degraded` while that happens from memory because the database is away.

        503 before the ledger has been read for the first time.
        """
        known_at = worlds.current.revision
        status = "ready" if worlds.database_up else "degraded"
        detail = "" if worlds.database_up else f"the database cannot be read; revision {known_at} is served from memory"
        return Response(_health(worlds, status, detail), headers={"Cache-Control": "no-store"})

    @read("/metrics", "get_metrics", ReadOperation, summary="Metrics", media_type="text/plain")
    async def metrics(self, worlds: WorldsDependency) -> Response[bytes]:
        """Counters, times and gauges in Prometheus' text format."""
        metrics.DATABASE_UP.set(worlds.database_up)
        return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE, headers={"Cache-Control": "no-store"})

    @read(ASSETS_PATH + "/{name:str}", "get_docs_asset", include_in_schema=False)
    async def asset(self, name: Annotated[str, PathParameter()], request: Request[Any, Any, Any]) -> Response[bytes]:
        """A file of the documentation page."""
        try:
            content, media_type = asset(name)
        except KeyError:
            refused = fault_in("name", "is not a file of the documentation page")
            raise NotFound(f"there is no file {name!r}", refused) from None
        return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


def _health(worlds: Worlds, status: Any, detail: str = "") -> Health:
    return Health(
        status=status,
        known_at=worlds.newest.revision if worlds.newest else 0,
        database="up" if worlds.database_up else "down",
        detail=detail,
    )
