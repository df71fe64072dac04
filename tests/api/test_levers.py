"""What moves a score most: told in order, and true of the service's own answers."""

from __future__ import annotations

import math
from typing import Any

import pytest
from httpx import AsyncClient

from service.seeding import read_seeds
from service.world.rows import Agreement, Provision, Restriction
from tests.evidence import agreement, bloc, country, governance, membership, mineral, restriction, share, source
from tests.serving import Service

DAY = "2026-02-05"
WGI = {"CHN": -0.5, "COD": -1.5, "USA": 1.5}
"""Estimates of governance: g = .6, .8 and .2."""

BUYERS = ["USA", "CHN", "EU"]
BANDS = [20, 100 * math.sqrt(0.1), 50, 100 * math.sqrt(0.5)]


async def levers(client: AsyncClient, mineral: str, buyer: str, **more: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/minerals/{mineral}/score/levers", params={"buyer": buyer, "as_of": DAY, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def score(client: AsyncClient, mineral: str, buyer: str, **more: str) -> dict[str, Any]:
    answer = await client.get(f"/v1/minerals/{mineral}/score", params={"buyer": buyer, "as_of": DAY, **more})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def minerals(client: AsyncClient) -> list[str]:
    return [item["id"] for item in (await client.get("/v1/minerals?limit=1000")).json()["items"]]


def lever(told: dict[str, Any], kind: str, country: str | None = None, **more: Any) -> dict[str, Any]:
    wanted = {"kind": kind, "country": country, **more}
    (found,) = (each for each in told["levers"] if wanted.items() <= each.items())
    return dict(found)


def points_of(stages: list[dict[str, Any]], **changed: float) -> float:
    """The score of printed suppliers; `changed` sets the share of some countries in the first stage."""
    heights = []
    for place, stage in enumerate(stages):
        rows = [
            (changed.get(row["country"], row["share"]) if place == 0 else row["share"]) ** 2
            * (row["governance"] or 0.0)
            * row["partner_factor"]
            for row in stage["suppliers"]
        ]
        heights.append(math.fsum(rows))
    return 100 * min(1.0, math.sqrt(max(heights)))


@pytest.mark.parametrize("buyer", BUYERS)
async def test_every_effect_of_a_share_is_the_derivative_of_the_printed_formula(
    client: AsyncClient, buyer: str
) -> None:
    """100 · s · g · t / √H per unit, from what the score prints of its suppliers, for every mineral."""
    for name in await minerals(client):
        told, whole = await levers(client, name, buyer), await score(client, name, buyer)
        assert (told["score"], told["band"], told["binding_stage"]) == (
            whole["score"],
            whole["band"],
            whole["binding_stage"],
        )
        scored = {stage["stage"]: stage for stage in whole["stages"] if stage["status"] == "scored"}
        assert {each["stage"] for each in told["levers"] if each["kind"] == "share"} == set(scored)
        for stage in scored.values():
            h = stage["risk_concentration"]
            for row in stage["suppliers"]:
                if row["governance"] is None or not 1e-6 < h < 1:
                    continue
                expected = 100 * row["share"] * row["governance"] * row["partner_factor"] / math.sqrt(h) * 0.01
                found = lever(told, "share", row["country"], stage=stage["stage"])
                assert found["stage_effect"] == pytest.approx(expected, rel=1e-3, abs=1e-6)
                assert found["value"] == row["share"]
                binds = stage["stage"] == told["binding_stage"]
                assert (found["binding"], found["effect"]) == (binds, found["stage_effect"] if binds else 0.0)


@pytest.mark.parametrize("others", ["held", "proportional"])
async def test_the_largest_effect_comes_first(client: AsyncClient, others: str) -> None:
    """By size, whatever the sign; what has no effect comes last, ordered by what it does to its own stage."""
    for name in await minerals(client):
        told = await levers(client, name, "USA", others=others)
        sizes = [-math.inf if each["effect"] is None else abs(each["effect"]) for each in told["levers"]]
        assert sizes == sorted(sizes, reverse=True)
        silent = [abs(each["stage_effect"] or 0.0) for each in told["levers"] if each["effect"] == 0.0]
        assert silent == sorted(silent, reverse=True)


async def test_the_share_at_which_the_band_changes_changes_it(client: AsyncClient) -> None:
    """The printed suppliers, one of them at its turning point, come to the score at which the next band begins."""
    met = 0
    for name in await minerals(client):
        told, whole = await levers(client, name, "USA"), await score(client, name, "USA")
        stages = sorted(
            (stage for stage in whole["stages"] if stage["status"] == "scored"),
            key=lambda stage: stage["stage"] != told["binding_stage"],
        )
        for each in told["levers"]:
            if each["kind"] != "share" or not each["binding"]:
                continue
            for turn in filter(None, (each["up"], each["down"])):
                met += 1
                at = points_of(stages, **{each["country"]: turn["at"]})
                assert min(abs(at - edge) for edge in BANDS) < 0.01
                assert 0 <= turn["at"] <= 1
    assert met > 100


async def test_more_of_a_well_governed_supplier_helps_where_the_others_give_way(client: AsyncClient) -> None:
    """Congo's share of cobalt raises the score either way; Australia's raises it by little while the others keep
    theirs, and lowers it where they give way."""
    held, moved = [await levers(client, "cobalt", "USA", others=others) for others in ("held", "proportional")]
    assert (held["others"], moved["others"]) == ("held", "proportional")
    for told in (held, moved):
        assert lever(told, "share", "COD", stage="extraction")["effect"] > 0.5
    assert 0 < lever(held, "share", "AUS", stage="extraction")["effect"] < 0.01
    assert lever(moved, "share", "AUS", stage="extraction")["effect"] < -0.5


@pytest.mark.parametrize(("name", "buyer"), [("cobalt", "USA"), ("lithium", "EU"), ("gallium", "USA")])
async def test_the_effect_of_an_agreement_or_restriction_is_the_difference_without_it(
    service: Service, name: str, buyer: str
) -> None:
    """Withdrawn from the ledger, it leaves the score that the lever says."""
    told = await levers(service.client, name, buyer)
    shipped = [row for row in read_seeds() if isinstance(row, Agreement | Provision | Restriction)]
    kinds = {"agreement": Agreement, "restriction": Restriction}
    tried = [each for each in told["levers"] if each["kind"] in kinds][:3]
    assert tried
    for each in tried:
        rows = [row for row in shipped if isinstance(row, kinds[each["kind"]]) and row.id == each["id"]]
        rows += [row for row in shipped if isinstance(row, Provision) and row.agreement == each["id"]]
        await service.write(retract=rows)
        now = await score(service.client, name, buyer)
        assert now["score"] == each["score_without"]
        assert told["score"] - now["score"] == pytest.approx(each["effect"], abs=0.1 + 1e-9)
        await service.write(rows)


async def test_an_agreement_helps_and_a_restriction_harms(client: AsyncClient) -> None:
    """Never the other way round, for any mineral."""
    signs = {"agreement": -1, "restriction": 1}
    for name in await minerals(client):
        for each in (await levers(client, name, "USA"))["levers"]:
            if each["kind"] in signs:
                assert each["effect"] * signs[each["kind"]] >= 0
                assert (each["value"], each["step"], each["stage"], each["country"]) == (None, None, None, None)


@pytest.fixture
async def small(bare: Service) -> Service:
    """One mineral of two stages: the first is China's and bans exports, the second the Congo's with a treaty."""
    await bare.write(
        [
            source(),
            *(country(code) for code in ("CHN", "COD", "USA", "AUT", "BEL")),
            *(row for code, estimate in WGI.items() for row in governance(code, estimate)),
            mineral("testium", stages=("extraction", "processing")),
            share("testium", "CHN", 0.7),
            share("testium", "USA", 0.2),
            share("testium", "COD", 0.6, stage="extraction"),
            share("testium", "USA", 0.3, stage="extraction"),
            restriction("china-bans", "CHN", "testium"),
            agreement("treaty", "USA", "COD", type="trade_agreement", binding="yes", in_force="2023-01-01"),
            agreement("memo", "USA", "COD"),
        ]
    )
    return bare


async def test_without_an_agreement_the_next_best_makes_the_tie(small: Service) -> None:
    """Without the treaty the memorandum is left: t goes from .85 to .98, not to 1. The memorandum, outdone by the
    treaty, makes no tie and is no lever."""
    told = await levers(small.client, "testium", "USA")
    stage = next(s for s in (await score(small.client, "testium", "USA"))["stages"] if s["stage"] == "extraction")
    assert told["binding_stage"] == "processing"
    treaty = lever(told, "agreement", id="treaty")
    assert (treaty["effect"], treaty["binding"]) == (0.0, False)
    assert "memo" not in {each["id"] for each in told["levers"]}
    ban = lever(told, "restriction", id="china-bans")
    g = 0.6
    with_ban, without = 100 * 0.7 * math.sqrt(g * 1.5), max(100 * 0.7 * math.sqrt(g), stage["score"])
    assert (ban["effect"], ban["binding"]) == (pytest.approx(with_ban - without, abs=1e-4), True)
    assert ban["score_without"] == round(without, 1)


async def test_a_stage_that_does_not_bind_says_where_it_would(small: Service) -> None:
    """The Congo's share of extraction has no effect until its H passes processing's."""
    told = await levers(small.client, "testium", "USA")
    found = lever(told, "share", "COD", stage="extraction")
    assert (found["effect"], found["binding"]) == (0.0, False)
    assert found["stage_effect"] > 0
    assert 0.6 < found["binds_at"] < 1
    above = round(found["binds_at"] + 1e-4, 6)
    await small.write([share("testium", "COD", above, stage="extraction")])
    assert (await score(small.client, "testium", "USA"))["binding_stage"] == "extraction"


async def test_of_a_bloc_a_members_agreement_is_a_lever_where_losing_it_makes_that_member_the_weakest(
    small: Service,
) -> None:
    """Both members have a memorandum of their own with the Congo: the bloc's tie is as good as the worse of the two,
    and without either there is none."""
    await small.write(
        [
            *(agreement(f"memo-{code.lower()}", code, "COD") for code in ("AUT", "BEL")),
            restriction("congo-ban", "COD", "testium", stages=("extraction",)),
            share("testium", "COD", 0.7, stage="extraction"),
        ]
    )
    await small.write([bloc("PAIR"), membership("PAIR", "AUT"), membership("PAIR", "BEL")])
    told = await levers(small.client, "testium", "PAIR")
    assert told["binding_stage"] == "extraction"
    h = 0.7**2 * 0.8 * 1.5
    expected = 100 * (math.sqrt(h * 0.98 + 0.09 * 0.2) - math.sqrt(h + 0.09 * 0.2))
    for name in ("memo-aut", "memo-bel"):
        assert lever(told, "agreement", id=name)["effect"] == pytest.approx(expected, abs=1e-4)


async def test_without_a_score_there_are_no_levers(client: AsyncClient) -> None:
    told = await levers(client, "cesium", "USA")
    assert (told["status"], told["score"], told["levers"]) == ("insufficient_data", None, [])
    assert told["reasons"]
