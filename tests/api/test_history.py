"""How a score came about: over the years, and over what the ledger came to know."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import AsyncClient

from service.seeding import read_seeds
from tests.evidence import agreement, bloc, country, governance, membership, mineral, restriction, share, source
from tests.serving import Service

DAY = "2026-02-05"


async def history(client: AsyncClient, mineral: str = "testium", buyer: str = "USA", **more: Any) -> dict[str, Any]:
    parameters = {"buyer": buyer, "as_of": DAY, **more}
    answer = await client.get(f"/v1/minerals/{mineral}/score/history", params=parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def days(told: dict[str, Any]) -> list[str]:
    return [point["as_of"] for point in told["items"]]


def numbers(told: dict[str, Any]) -> list[int]:
    return [point["known_at"] for point in told["items"]]


@pytest.mark.parametrize("buyer", ["USA", "EU"])
async def test_every_point_is_the_score_of_its_day_and_revision(client: AsyncClient, buyer: str) -> None:
    """The same numbers that `/score` gives when it is asked for that day."""
    for name in ("cobalt", "gallium", "silver", "dysprosium"):
        told = await history(client, name, buyer)
        assert days(told)[-1] == DAY
        assert all(day.endswith("-12-31") for day in days(told)[:-1])
        assert days(told) == sorted(set(days(told)))
        for point in told["items"]:
            answer = await client.get(
                f"/v1/minerals/{name}/score",
                params={"buyer": buyer, "as_of": point["as_of"], "known_at": point["known_at"]},
            )
            whole = answer.json()
            for field in ("as_of", "known_at", "status", "reasons", "score", "band", "value", "binding_stage"):
                assert point[field] == whole[field]
            assert point["interval_low"] == (whole["interval"] and whole["interval"]["low"])
            assert point["interval_high"] == (whole["interval"] and whole["interval"]["high"])
            binding = next((s for s in whole["stages"] if s["stage"] == whole["binding_stage"]), None)
            assert point["reference_year"] == (binding and binding["reference_year"])


async def test_the_years_begin_with_the_first_figures_and_end_with_the_day(client: AsyncClient) -> None:
    """Nothing is told of years without figures; `from` and `to` cut the rest."""
    told = await history(client, "cobalt")
    assert days(told)[0] == "2020-12-31"
    assert days(await history(client, "cobalt", **{"from": 1990})) == days(told)
    assert days(await history(client, "cobalt", **{"from": 2023, "to": 2024})) == ["2023-12-31", "2024-12-31"]
    assert days(await history(client, "cobalt", **{"from": 2024})) == ["2024-12-31", "2025-12-31", DAY]
    assert (await history(client, "cobalt", **{"from": 2024, "to": 2023}))["items"] == []
    assert (await history(client, "cesium"))["items"] == []


async def test_a_year_that_is_over_ends_on_its_last_day(client: AsyncClient) -> None:
    assert days(await history(client, "cobalt", as_of="2025-12-31", **{"from": 2024})) == ["2024-12-31", "2025-12-31"]


async def test_it_says_what_made_the_score_of_gallium(client: AsyncClient) -> None:
    """China licensed gallium in 2023; from 2024 on newer shares than those of 2016–2020 speak."""
    points = {point["as_of"]: point for point in (await history(client, "gallium"))["items"]}
    licence = points["2023-12-31"]
    assert "chn-licence-gallium-2023" in licence["events"]
    assert licence["score"] > points["2022-12-31"]["score"]
    assert points["2024-12-31"]["new_shares"] == ["processing"]
    assert points["2021-12-31"]["new_governance"]
    first = points["2020-12-31"]
    assert (first["new_shares"], first["new_governance"], first["events"]) == ([], False, [])


@pytest.fixture
async def told_in_steps(bare: Service) -> Service:
    """A ledger in which testium's score comes about revision by revision; others are none of its business."""
    await bare.write([source(), *(country(code) for code in ("CHN", "COD", "USA"))])
    await bare.write([*governance("CHN", -0.5), *governance("COD", -1.5), mineral("testium"), mineral("otherium")])
    await bare.write([share("testium", "CHN", 0.6), share("testium", "COD", 0.3)])
    await bare.write([share("otherium", "CHN", 0.9)])
    await bare.write([share("testium", "CHN", 0.65), share("testium", "COD", 0.3)])
    await bare.write([agreement("pact", "USA", "CHN", scope="named", minerals=("otherium",))])
    await bare.write([agreement("deal", "USA", "CHN")])
    await bare.write([restriction("ban", "CHN", "testium")])
    await bare.write(retract=[restriction("ban", "CHN", "testium")])
    await bare.write([bloc("PAIR"), membership("PAIR", "USA"), membership("PAIR", "COD")])
    return bare


async def test_over_revisions_stand_those_that_wrote_what_the_score_rests_on(told_in_steps: Service) -> None:
    """Figures and ties of another mineral are left out; the day stays, the ledger grows."""
    client = told_in_steps.client
    first = await history(client, by="revision")
    assert numbers(first) == [2, 3, 5, 7, 8]
    second = await history(client, by="revision", cursor=first["next"])
    assert numbers(second) == [9, 10]
    assert second["next"] is None
    assert first["total"] == second["total"] == 7
    points = {point["known_at"]: point for point in first["items"] + second["items"]}
    assert {point["as_of"] for point in points.values()} == {DAY}
    assert (points[2]["status"], points[2]["score"]) == ("insufficient_data", None)
    assert points[3]["new_shares"] == ["processing"]
    assert (points[5]["new_shares"], points[5]["events"]) == (["processing"], [])
    assert (points[7]["new_shares"], points[7]["events"]) == ([], ["deal"])
    assert points[8]["events"] == ["ban"]
    assert points[9]["events"] == ["ban"]
    assert points[8]["score"] > points[9]["score"] == points[7]["score"]
    # 100·√(.6²·.6 + .3²·.8) and 100·√(.65²·.6 + .3²·.8)
    assert [points[n]["score"] for n in (3, 5)] == [53.7, 57.1]
    moments = [datetime.fromisoformat(points[n]["committed_at"]) for n in sorted(points)]
    assert moments == sorted(moments)
    assert moments[0].tzinfo == UTC


async def test_a_point_over_revisions_is_the_score_known_then(told_in_steps: Service) -> None:
    client = told_in_steps.client
    for point in (await history(client, by="revision"))["items"]:
        parameters = {"buyer": "USA", "as_of": DAY, "known_at": str(point["known_at"])}
        whole = (await client.get("/v1/minerals/testium/score", params=parameters)).json()
        assert (point["score"], point["value"]) == (whole["score"], whole["value"])


async def test_revisions_can_be_narrowed(told_in_steps: Service) -> None:
    """`from` and `to` are revisions here, `known_at` is the last one there is."""
    client = told_in_steps.client
    assert numbers(await history(client, by="revision", **{"from": 4, "to": 8})) == [5, 7, 8]
    assert numbers(await history(client, by="revision", known_at=5)) == [2, 3, 5]
    assert numbers(await history(client, by="revision", limit=2)) == [2, 3]
    assert numbers(await history(client, by="revision", **{"from": 10**17})) == []


async def test_before_the_ledger_knew_the_buyer_there_is_no_score(told_in_steps: Service) -> None:
    """A bloc recorded in revision 10."""
    last = await history(told_in_steps.client, buyer="PAIR", by="revision", **{"from": 9})
    assert [point["reasons"] for point in last["items"]] == [["the ledger did not know PAIR yet"], []]
    assert [point["status"] for point in last["items"]] == ["insufficient_data", "scored"]


async def test_at_an_older_revision_it_is_the_history_that_was_known_then(told_in_steps: Service) -> None:
    """Over years too: before the ban was recorded nobody could tell of it."""
    client = told_in_steps.client
    now, then = await history(client, known_at=8), await history(client, known_at=7)
    assert days(now) == days(then) == ["2024-12-31", "2025-12-31", DAY]
    assert now["items"][-1]["score"] > then["items"][-1]["score"]


async def test_a_change_of_another_year_is_told_with_that_year(client: AsyncClient) -> None:
    """The United States' agreements of 4 February 2026 are events of 2026, in the minerals their partners supply."""
    signed = {row.id for row in read_seeds() if getattr(row, "signed", None) in ("2026-02-04", "2026-02-05")}
    point = (await history(client, "lithium"))["items"][-1]
    assert set(point["events"]) & signed
