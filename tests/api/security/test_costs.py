"""What the most expensive request of a route may cost: counted in steps, cells and bytes, never in time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from itertools import pairwise
from typing import Any

import pytest
from httpx import AsyncClient
from litestar import Litestar

from schemas.change import DefineBloc, ImposeRestriction, LiftRestriction, NewAgreement, Sign
from service.answers.history import Moment
from service.http import changes, imports, levers
from service.store import history
from service.world.attribution import MOST_BY_CONTROL
from service.world.memo import Memo
from service.world.position import MOST_POSITIONS, Positions, positions_on
from service.world.scenario.state import ChangeError
from service.world.scenario.work import MOST_PAIRS, refuse_overmuch
from service.world.size import bytes_worked_out
from service.world.world import World
from tests.api.security.conftest import House
from tests.evidence import source
from tests.serving import Service


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[int]]:
    """Counts how often a method is called from now on: the length of the list."""

    def watch(owner: Any, name: str) -> list[int]:
        found: list[int] = []
        original = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            found.append(1)
            return original(*given, **named)

        monkeypatch.setattr(owner, name, counted)
        return found

    return watch


def world_of(app: Litestar) -> World:
    world: World = app.ready._worlds.current  # type: ignore[attr-defined]
    return world


async def test_a_history_scores_so_many_days_a_page_however_far_it_reaches(
    client: AsyncClient, calls: Callable[[Any, str], list[int]]
) -> None:
    """Up to the year 9999, a page has MOST_YEARS points and works out one more, to tell what changed."""
    points = calls(Moment, "point")
    asked = {"buyer": "PER", "as_of": "9999-12-31", "limit": "1000", "level": "0.77"}
    answer = (await client.get("/v1/minerals/cobalt/score/history", params=asked)).json()
    assert (len(answer["items"]), answer["total"] > 5_000) == (levers.MOST_YEARS, True)
    assert len(points) == levers.MOST_YEARS
    after = (await client.get("/v1/minerals/cobalt/score/history", params=asked | {"cursor": answer["next"]})).json()
    assert len(points) == 2 * levers.MOST_YEARS + 1
    assert after["items"][0]["as_of"] > answer["items"][-1]["as_of"]


async def test_a_page_of_changes_looks_at_so_many_revisions(
    service: Service, calls: Callable[[Any, str], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each costs questions to the database, so a page of many small revisions ends before it is full; all are told."""
    monkeypatch.setattr(changes, "MOST_REVISIONS", 3)
    for number in range(5):
        await service.write([source(f"source-{number}")])
    asked = calls(history, "changes")
    page = await service.get("/v1/changes", since=1, limit=1000)
    assert len(asked) == len(page["items"]) == 3
    rest = await service.get("/v1/changes", since=1, limit=1000, cursor=page["next"])
    assert rest["next"] is None
    told = [item["after"]["id"] for item in (*page["items"], *rest["items"])]
    assert told == [f"source-{number}" for number in range(5)]


async def test_what_is_worked_out_for_buyers_is_kept_within_a_bound(app: Litestar, client: AsyncClient) -> None:
    """Coalitions of everybody, on ladders of their own: memory does not follow what is asked."""
    world = world_of(app)
    codes = list(world.countries)
    coalitions = [",".join(codes[start : start + 60]) for start in range(0, len(codes), 60)]
    kept = []
    for step in range(1, 5):
        ladder = f"memorandum:0.{step:03d}"
        for buyer in coalitions:
            asked = {"buyer": buyer, "ladder": ladder, "as_of": "2026-02-05"}
            assert (await client.get("/v1/minerals/cobalt/score", params=asked)).status_code == 200
        kept.append(bytes_worked_out(world))
    steps = [after - before for before, after in pairwise(kept)]
    assert MOST_POSITIONS * max(steps) < 128 * 1024 * 1024


async def test_few_worlds_are_kept_that_are_read_by_control(app: Litestar, client: AsyncClient) -> None:
    """Each holds a memory of its own, so whoever asks for year after year must not have them pile up."""
    for year in range(2016, 2026):
        asked = {"buyer": "USA", "as_of": f"{year}-06-01", "attribution": "control"}
        assert (await client.get("/v1/minerals/cobalt/score", params=asked)).status_code == 200
    worlds = [each for each in world_of(app).memo if isinstance(each, Memo)]
    assert max(sum(isinstance(each, World) for each in several) for several in worlds) == MOST_BY_CONTROL
    assert not any(isinstance(each, World) for each in world_of(app).memo)


def restrictions(world: World, count: int, buyers: int) -> list[Any]:
    codes, minerals = list(world.countries), list(world.minerals)
    return [
        ImposeRestriction(country=codes[place], type="ban", minerals=minerals, buyers=codes[:buyers] or None)
        for place in range(count)
    ]


def test_a_scenario_names_no_more_than_can_be_worked_out(app: Litestar, client: AsyncClient) -> None:
    """What its changes make is counted before any of it is made, and the change that is too much is named."""
    world = world_of(app)
    everybody = len(world.countries)
    each = len(world.minerals) * everybody
    most = MOST_PAIRS // each
    assert most >= 1  # a country may ban everything for everybody
    members = list(world.countries)
    bloc = [DefineBloc(id=f"B{number}", members=members) for number in range(50)]
    parties = [each.id for each in bloc]
    agreement = NewAgreement(id="x", type="forum", binding=True, parties=parties)
    a_sign = Sign(agreement=agreement)
    fits = MOST_PAIRS // (50 * everybody)
    for allowed, refused in (
        (restrictions(world, most, 0), restrictions(world, most + 1, 0)),
        (restrictions(world, most, everybody), restrictions(world, most + 1, everybody)),
        ([*bloc, *[a_sign] * fits], [*bloc, *[a_sign] * (fits + 1)]),
    ):
        refuse_overmuch(world, allowed)
        with pytest.raises(ChangeError) as caught:
            refuse_overmuch(world, refused)
        assert caught.value.place == len(refused) - 1
    lifted = [LiftRestriction(country=members[0], buyers=[members[1]])]
    with pytest.raises(ChangeError):
        refuse_overmuch(world, [*restrictions(world, most, 0), *lifted * 100])


async def test_the_most_a_scenario_may_ask_is_worked_out_standing_by_standing(
    app: Litestar, client: AsyncClient, calls: Callable[[Any, str], list[int]]
) -> None:
    """However many coalitions of however many members, a position is worked out once for each standing there is."""
    world = world_of(app)
    codes = list(world.countries)
    buyers = [",".join(codes[start : start + 60]) for start in range(0, 150, 10)]
    worked = calls(Positions, "_work_out")
    body = {"changes": [{"change": "set_governance", "country": "CHN", "weight": 0.5}], "buyers": buyers}
    answer = await client.post("/v1/scenarios", json=body | {"minerals": ["cobalt"], "as_of": "2026-02-04"})
    assert answer.status_code == 200
    ties = positions_on(world, date(2026, 2, 4)).ties
    assert len(worked) <= 2 * len({ties.standing(code) for code in codes})


async def test_a_scenario_that_is_too_much_is_told_so(app: Litestar, client: AsyncClient) -> None:
    minerals = list(world_of(app).minerals)
    bans = [
        {"change": "impose_restriction", "country": code, "type": "ban", "minerals": minerals}
        for code in list(world_of(app).countries)[:20]
    ]
    answer = await client.post("/v1/scenarios", json={"changes": bans, "buyers": ["USA"]})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith("/changes/")


async def test_a_question_counts_with_what_is_kept_of_its_answer(app: Litestar, client: AsyncClient) -> None:
    """So nobody fills the memory with long questions that have short answers."""
    ready = app.ready  # type: ignore[attr-defined]
    before, length = ready._bytes, 50_000
    for number in range(3):
        long = {"Accept": f"application/json, x/{'a' * length}{number}"}
        assert (await client.get("/v1/minerals/gallium?as_of=2026-01-03", headers=long)).status_code == 200
    assert ready._bytes - before > 3 * length


async def test_a_worker_takes_in_few_imports_at_once(house: House) -> None:
    """The next one is told to come again, before its file is received."""
    gate, begun = asyncio.Event(), 0

    async def slow() -> Any:
        nonlocal begun
        begun += 1
        yield b"a,b\n"
        await gate.wait()

    headers = house.key("write") | {"Content-Type": "text/csv"}
    path = "/v1/imports?format=form:share"
    waiting = [
        asyncio.create_task(house.open.post(path, content=slow(), headers=headers)) for _ in range(imports.MOST_AT_ONCE)
    ]
    async with asyncio.timeout(10):
        while begun < imports.MOST_AT_ONCE:
            await asyncio.sleep(0.01)
    refused = await house.open.post(path, content=b"a,b\n", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (503, "/problems/busy")
    assert int(refused.headers["retry-after"]) > 0
    gate.set()
    assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {422}
    assert (await house.open.post(path, content=b"a,b\n", headers=headers)).status_code == 422
