"""Intervals as they are told: around every score, wider where less is known, the same bytes for the same question."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from httpx import AsyncClient

from service.app import create_app
from service.seeding import read_seeds
from service.settings import Settings
from service.world.rows import Share, Source
from tests.evidence import country, governance, mineral, share, source
from tests.serving import Service, asking

DAY = "2026-02-05"
BUYERS = ["USA", "CHN", "EU", "JPN", "CHL", "FORGE"]
LEVELS = ["0.5", "0.9", "0.99"]
UNROUNDED = 0.05 + 1e-9
"""What printing a score with one decimal may move it by."""


async def score(client: AsyncClient, mineral: str, buyer: str, **more: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/minerals/{mineral}/score", params={"buyer": buyer, "as_of": DAY, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def scores(client: AsyncClient, buyer: str, **more: str) -> dict[str, dict[str, Any]]:
    answer = await client.get("/v1/scores", params={"buyer": buyer, "as_of": DAY, "limit": "1000", **more})
    assert answer.status_code == 200, answer.text
    return {row["mineral"]: row for row in answer.json()["items"]}


def scored_parts(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The score itself and each of its stages, where they have one."""
    return [part for part in (told, *told["stages"]) if part["score"] is not None]


def assert_in(inner: dict[str, float], outer: dict[str, float]) -> None:
    """One range within another."""
    assert outer["low"] <= inner["low"]
    assert inner["high"] <= outer["high"]


@pytest.mark.parametrize("buyer", BUYERS)
async def test_every_interval_holds_its_score(client: AsyncClient, buyer: str) -> None:
    """p05 ≤ score ≤ p95, of every mineral and every stage at every level, and so of each part of the doubt; a wider
    level holds a narrower one."""
    for name in await scores(client, buyer):
        levels = [scored_parts(await score(client, name, buyer, level=level)) for level in LEVELS]
        for parts in levels:
            for part in parts:
                interval = part["interval"]
                point = {"low": part["score"], "high": part["score"]}
                for held in (interval, interval["parts"]["inputs"], interval["parts"]["design"]):
                    assert 0 <= held["low"] <= held["high"] <= 100
                    assert_in(point, held)
        for narrower, wider in pairwise(levels):
            for one, other in zip(narrower, wider, strict=True):
                assert_in(one["interval"], other["interval"])
                for part in ("inputs", "design"):
                    assert_in(one["interval"]["parts"][part], other["interval"]["parts"][part])


@pytest.mark.parametrize("level", LEVELS)
async def test_the_list_has_the_intervals_of_the_accounts(client: AsyncClient, level: str) -> None:
    """Worked out all at once there, one by one here."""
    for name, row in (await scores(client, "USA", level=level)).items():
        told = await score(client, name, "USA", level=level)
        interval = told["interval"] or {"low": None, "high": None, "level": None}
        assert (row["interval_low"], row["interval_high"]) == (interval["low"], interval["high"])
        if told["interval"]:
            assert interval["level"] == float(level)
        else:
            assert row["score"] is None


async def test_an_interval_may_be_asked_for_between_a_half_and_99_percent(client: AsyncClient) -> None:
    for level in ("0.4", "1", "0.995", "nan"):
        answer = await client.get("/v1/minerals/cobalt/score", params={"buyer": "USA", "level": level})
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["parameter"] == "level"


async def test_two_instances_give_the_same_bytes(client: AsyncClient, seeded_dsn: str) -> None:
    """What is drawn is drawn from the evidence, not from when or where it is asked: another instance that has been
    asked other things before tells the same, ETag included."""
    async with asking(create_app(Settings(database_url=seeded_dsn))) as other:
        for buyer in ("CHL", "JPN"):
            await scores(other, buyer)
        for name in ("cobalt", "silver", "neodymium"):
            for path in (f"/v1/minerals/{name}/score", f"/v1/minerals/{name}/score/levers", "/v1/scores"):
                parameters = {"buyer": "USA", "as_of": DAY, "level": "0.8"}
                one, two = [await asked.get(path, params=parameters) for asked in (client, other)]
                assert one.status_code == 200
                assert (one.content, one.headers["etag"]) == (two.content, two.headers["etag"])


async def test_another_ledger_with_the_same_evidence_gives_the_same_intervals(
    client: AsyncClient, service: Service
) -> None:
    """Also after it has learnt of something else: a revision that leaves a figure alone leaves its draws alone."""
    before = await scores(client, "USA")
    await service.write([source("elsewhere"), mineral("otherium", source="elsewhere")])
    after = await scores(service.client, "USA")
    for name, row in before.items():
        assert {**after[name], "rank": None} == {**row, "rank": None}


def usgs(name: str) -> list[Share]:
    """The shares of a mineral that USGS prints of 2025, largest first."""
    rows = [
        row
        for row in read_seeds()
        if isinstance(row, Share)
        and (row.source, row.mineral, row.period_end) == ("usgs-mcs-2026", name, 2025)
        and row.share
    ]
    return sorted(rows, key=lambda row: -(row.share or 0.0))


@pytest.mark.parametrize("name", ["copper", "lithium", "tungsten"])
async def test_withholding_a_share_never_narrows_the_interval(bare: Service, name: str) -> None:
    """One supplier after the other is withheld, from the smallest on, then no longer named at all: each time the ends
    stay or move apart, as long as there is a score."""
    rows = [row for row in usgs(name) if row.stage == "extraction"]
    codes = sorted({row.country for row in rows} | {"USA"})
    await bare.write(
        [
            *(row for row in read_seeds() if isinstance(row, Source)),
            *(country(code, source="usgs-mcs-2026") for code in codes),
            *(
                indicator
                for place, code in enumerate(codes)
                for indicator in governance(code, 1.5 - 3 * place / len(codes), source="wgi-2024")
            ),
            mineral(name, stages=("extraction",), source="usgs-mcs-2026"),
            *rows,
        ]
    )
    held = (await score(bare.client, name, "USA"))["interval"]
    for row in rows[:0:-1]:
        for written, gone in (([_withheld(row)], []), ([], [row])):
            await bare.write(written, retract=gone)
            told = await score(bare.client, name, "USA")
            if told["interval"] is None:
                return
            assert_in(held, told["interval"])
            held = told["interval"]
    assert held["high"] > held["low"]


def _withheld(row: Share) -> Share:
    return share(
        row.mineral,
        row.country,
        None,
        stage=row.stage,
        period_start=row.period_start,
        period_end=row.period_end,
        source=row.source,
        printed="W",
        qualifier="withheld",
    )


async def test_withholding_a_figure_of_the_shipped_evidence_never_narrows_an_interval(service: Service) -> None:
    """A share of copper, small enough for the set to go on naming 80 % and so to be the one that is used. Lithium, of
    which nothing was withheld, keeps its interval."""
    named = sum(row.share or 0.0 for row in usgs("copper") if row.stage == "extraction")
    largest = next(r for r in usgs("copper") if r.stage == "extraction" and named - (r.share or 0.0) >= 0.8)
    before = {name: await score(service.client, name, "USA") for name in ("copper", "lithium")}
    await service.write([_withheld(largest)])
    after = {name: await score(service.client, name, "USA") for name in before}
    assert after["lithium"]["interval"] == before["lithium"]["interval"]
    extraction = [
        next(stage for stage in told["copper"]["stages"] if stage["stage"] == "extraction") for told in (before, after)
    ]
    assert "share_withheld" in extraction[1]["flags"]
    assert_in(extraction[0]["interval"], extraction[1]["interval"])
    assert extraction[1]["interval"]["high"] > extraction[0]["interval"]["high"]


@pytest.fixture
async def homely(bare: Service) -> Service:
    """Certain figures: two suppliers that share the whole output, governance of no doubt."""
    certain = [row for code in ("CHN", "USA") for row in governance(code, 0.0)]
    await bare.write(
        [
            source(),
            country("CHN"),
            country("USA"),
            mineral("testium"),
            *(
                type(row)(**{name: getattr(row, name) for name in row.__struct_fields__} | {"stderr": 0.0})
                for row in certain
            ),
            share("testium", "CHN", 0.6),
            share("testium", "USA", 0.4),
        ]
    )
    return bare


async def test_a_ladder_without_width_adds_no_doubt(homely: Service) -> None:
    """China buys: home is 0.00 … 0.00 and no tie 1.00 … 1.00. All of the doubt is that of the figures."""
    told = await score(homely.client, "testium", "CHN")
    for part in scored_parts(told):
        assert part["interval"]["parts"]["design"] == {"low": part["score"], "high": part["score"]}
        assert part["interval"]["parts"]["inputs"] == {name: part["interval"][name] for name in ("low", "high")}
        assert part["interval"]["high"] > part["interval"]["low"]


async def test_a_ladder_with_width_adds_doubt_of_its_own(client: AsyncClient) -> None:
    """Cobalt's Congo has an agreement with the United States, read from .90 to 1.00."""
    told = await score(client, "cobalt", "USA")
    design, inputs = (told["interval"]["parts"][part] for part in ("design", "inputs"))
    assert design["high"] - design["low"] > 0.5
    assert inputs["high"] - inputs["low"] > design["high"] - design["low"]
    assert told["interval"]["low"] <= min(design["low"], inputs["low"]) + UNROUNDED


async def test_where_there_is_no_score_there_is_no_interval(client: AsyncClient) -> None:
    told = await score(client, "cesium", "USA")
    assert told["interval"] is None
    assert all(stage["interval"] is None for stage in told["stages"])


@pytest.mark.parametrize("buyer", ["USA", "EU"])
async def test_every_mineral_with_a_score_has_a_standing(client: AsyncClient, buyer: str) -> None:
    """1 is the riskiest; equal scores share the better rank; the percentile counts those that score lower. The list
    ranks all of them, whatever of it is asked for."""
    rows = await scores(client, buyer)
    ranked = {name: row for name, row in rows.items() if row["score"] is not None}
    assert all(row["rank"] is None for name, row in rows.items() if name not in ranked)
    for name, row in ranked.items():
        standing = (await score(client, name, buyer))["standing"]
        higher = sum(other["value"] > row["value"] for other in ranked.values())
        lower = sum(other["value"] < row["value"] for other in ranked.values())
        assert standing == {
            "rank": higher + 1,
            "of": len(ranked),
            "percentile": round(100 * lower / len(ranked), 1),
        }
        assert row["rank"] == standing["rank"]
    assert (await score(client, "cesium", buyer))["standing"] is None
    severe = await scores(client, buyer, band="severe")
    assert all(row == rows[name] for name, row in severe.items())


@pytest.mark.parametrize("method", ["eu-crm", "hhi", "geopolrisk"])
async def test_other_methods_have_standings_of_their_own(client: AsyncClient, method: str) -> None:
    """Among the minerals that method has a value for."""
    rows = await scores(client, "EU", method=method)
    values = [row["value"] for row in rows.values() if row["value"] is not None]
    for name, row in [*rows.items()][::17]:
        standing = (await score(client, name, "EU", method=method))["standing"]
        if row["value"] is None:
            assert (standing, row["rank"]) == (None, None)
        else:
            assert standing["of"] == len(values)
            assert standing["rank"] == row["rank"] == 1 + sum(value > row["value"] for value in values)
