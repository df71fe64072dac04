"""Scenarios: what would happen if, worked out for whoever asks, and kept for whoever may write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from litestar import Controller, Request, Response, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example
from litestar.params import JSONBody, PathParameter

from schemas.problem import Fault
from schemas.scenario import Scenario, ScenarioAnswer
from service.answers.scenario import Played
from service.http.bodies import Unprocessable, body_of
from service.http.keys import caller_of, requires
from service.http.names import find_buyer
from service.http.openapi import with_example
from service.http.problems import Busy, NotFound, fault_in, responses
from service.http.reads import KnownAt, View, WorldsDependency, answer, provide_view, read
from service.risk.methods.partner_adjusted import ID, VERSION
from service.store import scenarios as store
from service.store.connecting import replays
from service.world.scenario import ChangeError

if TYPE_CHECKING:
    from service.http.worlds import Worlds

EXAMPLE: dict[str, Any] = {
    "changes": [
        {"change": "lose_supplier", "country": "CHN", "minerals": ["magnet-rare-earths"], "stage": "processing"},
        {
            "change": "add_capacity",
            "country": "PER",
            "stage": "processing",
            "mineral": "magnet-rare-earths",
            "share": 0.01,
        },
    ],
    "buyers": ["USA"],
    "as_of": "2026-02-05",
    "known_at": 1,
}
"""A request as the documentation shows it; kept, it has the id the documentation shows."""

ScenarioName = Annotated[
    str,
    PathParameter(
        pattern=r"^[0-9a-f]{24}$",
        description="The `id` a kept scenario was answered with.",
        examples=[Example(value=store.name_of(msgspec.convert(EXAMPLE, Scenario)))],
    ),
]

MOST_WAITING = 4
"""Scenarios of one worker that may wait for their turn: they are worked out one at a time, beside the reads."""


class Turn:
    """Lets one scenario at a time be worked out in a thread, so that reads go on being answered."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting = 0

    async def work_out(self, view: View, request: Scenario, name: str | None) -> Any:
        """The answer to a request as it is sent. Raises Unprocessable, and Busy when too many wait."""
        if self._waiting >= MOST_WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(_answer, view, request, name)
        finally:
            self._waiting -= 1


def _answer(view: View, request: Scenario, name: str | None) -> bytes:
    for place, mineral in enumerate(request.minerals or ()):
        if mineral not in view.world.minerals:
            raise _unprocessable(f"/minerals/{place}", f"no mineral is called {mineral!r}")
    try:
        played = Played.of(view.world, request, view.as_of)
    except ChangeError as error:
        field = f"/{error.field}" if error.field else ""
        raise _unprocessable(f"/changes/{error.place}{field}", error.detail) from error
    except ValueError as error:
        raise _unprocessable("/ladder", str(error)) from error
    buyers = [_buyer(played, place, name) for place, name in enumerate(request.buyers)]
    known = msgspec.structs.replace(request, buyers=list(dict.fromkeys(buyers)))
    return msgspec.json.encode(Played(view.world, known, view.as_of, played.worked).told(name))


def _buyer(played: Played, place: int, name: str) -> str:
    try:
        return find_buyer(played.worked.before, name)
    except NotFound as error:
        raise _unprocessable(f"/buyers/{place}", str(error)) from error


def _unprocessable(pointer: str, detail: str) -> Unprocessable:
    return Unprocessable(f"{pointer}: {detail}", Fault(detail=detail, pointer=pointer))


class ScenarioController(Controller):
    """What would happen if."""

    path = "/v1/scenarios"
    tags = ["scenarios"]  # noqa: RUF012 - the framework reads a list

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        self.turn = Turn()

    @post(
        "",
        operation_id="play_scenario",
        status_code=200,
        before_request=body_of(Scenario),
        summary="What would happen if?",
        operation_class=with_example(EXAMPLE),
        responses={
            201: ResponseSpec(ScenarioAnswer, generate_examples=False, description="The same, and kept under its `id`"),
            **responses(400, 401, 403, 408, 413, 415, 422, 503, 507),
        },
    )
    async def play(
        self, request: Request[Any, Any, Any], worlds: WorldsDependency, data: JSONBody[Scenario]
    ) -> Response[ScenarioAnswer]:
        """Makes a list of changes and scores every mineral before and after them, for buyers of your choice.

        Sign, bring into force or end agreements; impose or lift restrictions; lose a supplier in whole or in part; add
        capacity or a deposit the ledger knows; move a share; set governance; join or leave a bloc, or define one of
        your own; set the ladder. Nothing is stored unless `store` asks for it: then the answer has an `id` and the
        status 201, and `GET /v1/scenarios/{id}` gives the same bytes.

        Shocks are bounds of exposure, not forecasts. Scores after a loss speak of the output that is left, so each
        stage says how much that is, what would have to be replaced, and what is met without the supplier (N−1).
        """
        if data.store:
            requires("write")(request, request.route_handler)
        try:
            view = await provide_view(worlds, data.as_of, None if data.known_at is None else str(data.known_at))
        except NotFound as error:
            raise _unprocessable("/known_at", str(error)) from error
        settled = msgspec.structs.replace(data, as_of=view.as_of, known_at=view.world.revision)
        name = store.name_of(settled) if data.store else None
        told = await self.turn.work_out(view, settled, name)
        if name is not None:
            await _keep(worlds, request, settled)
        return Response(
            told,
            media_type="application/json",
            status_code=200 if name is None else 201,
            headers={"Cache-Control": "no-store"} | ({"Location": f"/v1/scenarios/{name}"} if name else {}),
        )

    @read("/{scenario:str}", "get_scenario", summary="A scenario that was kept", responses=responses(422))
    async def scenario(
        self, worlds: WorldsDependency, scenario: ScenarioName, known_at: KnownAt = None
    ) -> Response[ScenarioAnswer]:
        """Works the scenario out again, at the revision it was first worked out at, and so with the same bytes.

        With `known_at` it is worked out at another revision: the same question on what the ledger knew then.
        """
        kept = await _find(worlds, scenario)
        if kept is None:
            detail = f"no scenario is kept under {scenario!r}"
            raise NotFound(detail, fault_in("scenario", detail))
        view = await provide_view(worlds, kept.as_of, known_at or str(kept.known_at))
        told = await self.turn.work_out(view, kept, scenario)
        return answer(view, told, "scenario", scenario, ID, VERSION)


async def _find(worlds: Worlds, name: str) -> Scenario | None:
    async with worlds.database() as connection:
        kept, may_lag = await store.find(connection, name), replays(connection)
    if kept is None and may_lag:
        async with worlds.writing() as connection:
            return await store.find(connection, name)
    return kept


async def _keep(worlds: Worlds, request: Request[Any, Any, Any], settled: Scenario) -> None:
    caller = caller_of(request)
    assert caller is not None
    assert settled.as_of is not None
    assert settled.known_at is not None
    async with worlds.writing() as connection:
        await store.add(connection, settled, settled.known_at, settled.as_of, caller.author)
