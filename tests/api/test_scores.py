"""What a score shows: that it can be recomputed by hand, and what it says where data is missing."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pytest
from httpx import AsyncClient

from service.seeding import read_seeds
from service.world.rows import Country, Governance, Mineral, Share, Source
from tests.evidence import agreement, bloc, membership, restriction
from tests.serving import Service

DAY = "2026-12-31"
"""A day on which everything shipped has happened."""

TIES = ("home", "single_market", "binding", "programme", "memorandum", "forum", "none", "unreported")


async def score(client: AsyncClient, mineral: str, buyer: str, as_of: str = DAY, **more: str) -> dict[str, Any]:
    parameters = {"buyer": buyer, "as_of": as_of, **more}
    answer = await client.get(f"/v1/minerals/{mineral}/score", params=parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def stage_of(told: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(stage for stage in told["stages"] if stage["stage"] == name)
    return found


def factors(told: dict[str, Any]) -> dict[tuple[str, str], float]:
    """The partner factor of every supplier at every stage."""
    return {(s["stage"], row["country"]): row["partner_factor"] for s in told["stages"] for row in s["suppliers"]}


async def test_cobalt_for_the_usa_has_two_stages_and_says_which_one_binds(client: AsyncClient) -> None:
    told = await score(client, "cobalt", "USA")
    assert [stage["stage"] for stage in told["stages"]] == ["extraction", "processing"]
    highest = max(told["stages"], key=lambda stage: stage["score"])
    assert (told["binding_stage"], told["score"], told["band"]) == (
        highest["stage"],
        highest["score"],
        highest["band"],
    )
    assert {row["country"] for row in stage_of(told, "extraction")["suppliers"]} >= {"COD", "IDN"}
    assert stage_of(told, "processing")["concentration"]["top_country"] == "CHN"
    for stage in told["stages"]:
        assert stage["reference_year"] >= 2024
        assert stage["sources"]


async def test_a_score_names_sources_that_are_there(client: AsyncClient) -> None:
    """Shares first, then governance; each can be looked up with licence and edition."""
    told = await score(client, "cobalt", "USA")
    for stage in told["stages"]:
        assert stage["sources"][-1] == "wgi-2024"
        for source in stage["sources"]:
            assert (await client.get(f"/v1/sources/{source}")).json()["source"]["licence"]


@pytest.mark.parametrize("buyer", ["USA", "CHN", "EU", "DEU", "CHL", "FORGE"])
async def test_every_printed_score_is_the_formula_over_the_printed_suppliers(client: AsyncClient, buyer: str) -> None:
    """H = Σ share² · governance · partner_factor and score = 100 · min(1, √H), for every mineral and stage: whoever
    recomputes from what is printed gets what is printed."""
    for item in (await client.get("/v1/minerals?limit=1000")).json()["items"]:
        told = await score(client, item["id"], buyer)
        for stage in told["stages"]:
            if stage["risk_concentration"] is None:
                assert (stage["status"], stage["suppliers"]) == ("insufficient_data", [])
                continue
            parts = [
                0.0 if row["governance"] is None else row["share"] ** 2 * row["governance"] * row["partner_factor"]
                for row in stage["suppliers"]
            ]
            for row, part in zip(stage["suppliers"], parts, strict=True):
                assert row["contribution"] == pytest.approx(part, abs=2e-6)
            added = math.fsum(row["contribution"] for row in stage["suppliers"])
            assert stage["risk_concentration"] == pytest.approx(added, abs=1e-8 * (1 + len(parts)))
            if stage["status"] == "scored":
                assert stage["score"] == round(100 * min(1, math.sqrt(added)), 1)
                assert stage["score"] == pytest.approx(100 * min(1, math.sqrt(math.fsum(parts))), abs=0.051)
            else:
                assert stage["score"] is None


@pytest.mark.parametrize("buyer", ["USA", "CHN", "EU"])
async def test_the_score_is_the_highest_of_its_stages_and_coverage_splits_the_whole(
    client: AsyncClient, buyer: str
) -> None:
    """`home` to `unreported` add up to 1; `restricted` lies across them."""
    limits = [("low", 20), ("moderate", 100 * math.sqrt(0.1)), ("high", 50), ("severe", 100 * math.sqrt(0.5))]
    for item in (await client.get("/v1/minerals?limit=1000")).json()["items"]:
        told = await score(client, item["id"], buyer)
        points = [stage["score"] for stage in told["stages"] if stage["score"] is not None]
        assert told["score"] == max(points, default=None)
        assert (told["status"] == "scored") == bool(points)
        for stage in told["stages"]:
            if stage["score"] is not None:
                exact = 100 * min(1, math.sqrt(stage["risk_concentration"]))
                assert stage["band"] == next((name for name, end in limits if exact < end), "extreme")
            if coverage := stage["partner_coverage"]:
                assert sum(coverage[tie] for tie in TIES) == pytest.approx(1, abs=5e-6)
                assert 0 <= coverage["restricted"] <= 1


async def test_one_share_alone_is_checked_by_hand(bare: Service) -> None:
    """Claim K01 (China makes about 92 % of magnet rare earths) and China's governance, nothing else: the score is
    100 · √(0.92² · g), g = (2.5 − mean of the six indicators over the five years 2019–2023) / 5."""
    needed = {"verumo-ki-boom", "wgi-2024", "iso-3166"}
    shipped = list(read_seeds())
    governed = [row for row in shipped if isinstance(row, Governance) and row.country == "CHN"]
    rows = [
        *(row for row in shipped if isinstance(row, Source) and row.id in needed),
        *(row for row in shipped if isinstance(row, Country) and row.code in {"CHN", "USA"}),
        Mineral(
            id="magnet-rare-earths",
            name_en="Magnet rare earths",
            name_de="Magnetmetalle",
            stages=("processing",),
            source="verumo-ki-boom",
        ),
        *(row for row in shipped if isinstance(row, Share) and row.locator == "K01"),
        *governed,
    ]
    await bare.write(rows)
    told = await bare.get("/v1/minerals/magnet-rare-earths/score", buyer="USA", as_of=DAY)
    years = [row.estimate for row in governed if 2019 <= row.year <= 2023]
    assert len(years) == 5 * 6
    g = (2.5 - sum(years) / len(years)) / 5
    (stage,) = told["stages"]
    (supplier,) = stage["suppliers"]
    assert (supplier["country"], supplier["share"], supplier["partner_factor"]) == ("CHN", 0.92, 1.0)
    assert supplier["governance"] == round(g, 8)
    assert stage["risk_concentration"] == round(0.92**2 * g, 8)
    assert told["score"] == round(100 * math.sqrt(0.92**2 * g), 1)
    assert stage["flags"] == ["unreported_remainder", "undated_shares"]


async def test_gallium_is_hardly_a_risk_for_china_and_a_great_one_for_the_usa(client: AsyncClient) -> None:
    """China makes nearly all of it: home supply carries no foreign risk."""
    at_home, abroad = await score(client, "gallium", "CHN"), await score(client, "gallium", "USA")
    assert at_home["score"] < 5
    assert abroad["score"] > 70
    china = next(row for row in stage_of(at_home, "processing")["suppliers"] if row["country"] == "CHN")
    assert (china["tie"], china["partner_factor"], china["contribution"]) == ("home", 0.0, 0.0)


def apart_from(countries: set[str], told: dict[str, Any]) -> dict[str, Any]:
    """A score without what the partner factors of some countries can change."""
    moved = {"score", "value", "interval", "as_of", "risk_concentration", "partner_coverage"}
    of_them = {"partner_factor", "tie", "agreement", "contribution"}
    stages = [
        {name: value for name, value in stage.items() if name not in moved}
        | {
            "suppliers": [
                {name: value for name, value in row.items() if row["country"] not in countries or name not in of_them}
                for row in stage["suppliers"]
            ]
        }
        for stage in told["stages"]
    ]
    return {name: value for name, value in told.items() if name not in moved} | {"stages": stages}


async def test_signing_with_a_small_supplier_shows_in_coverage_and_hardly_in_the_score(client: AsyncClient) -> None:
    """On 2026-02-04 the United States signed with Argentina and others. Between the day before and the day after,
    lithium differs in nothing but the partner factors of those that signed."""
    before, after = [await score(client, "lithium", "USA", day) for day in ("2026-02-03", "2026-02-05")]
    changed = {country for (_, country), t in factors(after).items() if factors(before)[_, country] != t}
    signed: set[str] = set()
    for item in (await client.get("/v1/agreements?party=USA&limit=1000")).json()["items"]:
        if item["signed"] in ("2026-02-04", "2026-02-05"):
            for party in item["parties"]:
                bloc = await client.get(f"/v1/blocs/{party}?as_of=2026-02-05")
                signed.update(bloc.json()["members"] if bloc.status_code == 200 else [party])
    assert "ARG" in changed <= signed
    assert factors(after).keys() == factors(before).keys()
    argentina = [
        next(r for r in stage_of(told, "extraction")["suppliers"] if r["country"] == "ARG") for told in (before, after)
    ]
    assert argentina[0]["agreement"] == "us-argentina-joint-statement-2025"
    assert argentina[1]["agreement"] == "us-argentina-mou-2026"
    assert [row["tie"] for row in argentina] == ["forum", "memorandum"]
    assert 0 <= before["score"] - after["score"] <= 0.2
    covered = [stage_of(told, "extraction")["partner_coverage"]["memorandum"] for told in (before, after)]
    assert covered[1] - covered[0] >= argentina[0]["share"] > 0.05
    assert apart_from(changed, before) == apart_from(changed, after)


async def test_an_agreement_that_has_ended_has_no_effect(service: Service) -> None:
    """It counts from its first day to its last and on no other."""
    chile = "CHL"
    await service.write(
        [
            agreement(
                "zwe-chl-pact",
                "ZWE",
                chile,
                type="trade_agreement",
                binding="yes",
                signed="2025-01-01",
                in_force="2025-03-01",
                ended="2026-01-01",
                source="us-state-ministerial-2026",
            )
        ]
    )

    async def tie(day: str) -> tuple[str, str | None]:
        told = await score(service.client, "lithium", "ZWE", day)
        row = next(row for row in stage_of(told, "extraction")["suppliers"] if row["country"] == chile)
        return row["tie"], row["agreement"]

    assert await tie("2024-12-31") == ("none", None)
    assert await tie("2025-01-01") == ("binding_signed", "zwe-chl-pact")
    assert await tie("2025-03-01") == ("binding", "zwe-chl-pact")
    assert await tie("2025-12-31") == ("binding", "zwe-chl-pact")
    assert await tie("2026-01-01") == ("none", None)
    ended = await score(service.client, "lithium", "ZWE", "2026-06-01")
    never = await score(service.client, "lithium", "ZWE", "2026-06-01", known_at="1")
    assert {**ended, "known_at": 1, "data_version": never["data_version"]} == never


async def test_the_agreement_that_makes_the_tie_can_be_looked_up(client: AsyncClient) -> None:
    for row in stage_of(await score(client, "cobalt", "USA"), "extraction")["suppliers"]:
        if row["agreement"]:
            told = (await client.get(f"/v1/agreements/{row['agreement']}?as_of={DAY}")).json()["agreement"]
            assert told["tie"] == row["tie"]
        if row["restriction"]:
            told = (await client.get(f"/v1/restrictions/{row['restriction']}?as_of={DAY}")).json()["restriction"]
            assert (told["country"], told["status"]) == (row["country"], "in_force")


async def test_cesium_has_insufficient_data_and_says_why(client: AsyncClient) -> None:
    """Nobody publishes who mines or refines it: no number is made up for it."""
    told = await score(client, "cesium", "USA")
    assert (told["status"], told["score"], told["band"], told["binding_stage"]) == (
        "insufficient_data",
        None,
        None,
        None,
    )
    assert len(told["reasons"]) == len(told["stages"]) > 0
    for reason, stage in zip(told["reasons"], told["stages"], strict=True):
        assert reason.startswith(f"{stage['stage']}: ")
        assert (stage["score"], stage["suppliers"], stage["concentration"]) == (None, [], None)


async def test_silver_is_scored_and_understated(client: AsyncClient) -> None:
    """Its refining has no data and may be the stage with the higher risk."""
    told = await score(client, "silver", "USA")
    assert (told["status"], told["binding_stage"]) == ("scored", "extraction")
    assert "understated" in told["flags"]
    assert stage_of(told, "processing")["status"] == "insufficient_data"


async def test_the_sixty_have_a_score_or_say_why_not(client: AsyncClient) -> None:
    """Ten of the US list have no processing data at all: none of them is given a number for it."""
    without = {
        "barite",
        "cesium",
        "fluorspar",
        "phosphate-rock",
        "potash",
        "rubidium",
        "silver",
        "tantalum",
        "uranium",
        "zirconium",
    }
    for item in (await client.get("/v1/minerals?list=us-2025&limit=1000")).json()["items"]:
        told = await score(client, item["id"], "USA")
        assert told["status"] == "scored" or told["reasons"]
        if item["id"] in without:
            assert told["status"] == "insufficient_data" or "understated" in told["flags"]


async def test_flags_are_documented(client: AsyncClient) -> None:
    """Every flag any score carries is explained with the method."""
    explained = (await client.get("/v1/methods/partner-adjusted")).json()["parameters"]["flags"]
    for row in (await client.get(f"/v1/scores?buyer=USA&as_of={DAY}&limit=1000")).json()["items"]:
        assert set(row["flags"]) <= set(explained)


async def sets(client: AsyncClient, mineral: str, stage: str) -> dict[str, dict[str, Any]]:
    found = (await client.get(f"/v1/minerals/{mineral}?as_of={DAY}")).json()["share_sets"]
    return {row["source"]: row for row in found if row["stage"] == stage}


async def test_a_single_claim_stays_in_the_ledger_and_does_not_speak_for_the_whole(client: AsyncClient) -> None:
    """K03 says China refines 65 % of lithium and names nobody else: evidence beside the fuller set, which counts."""
    found = await sets(client, "lithium", "processing")
    assert (found["verumo-ki-boom"]["named_share"], found["verumo-ki-boom"]["countries"]) == (0.65, 1)
    assert [source for source, row in found.items() if row["chosen"]] == ["iea-2025"]
    stage = stage_of(await score(client, "lithium", "USA"), "processing")
    assert (stage["sources"][0], stage["period"]) == ("iea-2025", "2024")


async def test_the_newest_full_set_goes_first(client: AsyncClient) -> None:
    """Nickel is refined in Indonesia now (2024); the EU's 2016–2020, which still has China first, stays on record."""
    stage = stage_of(await score(client, "nickel", "USA"), "processing")
    assert (stage["concentration"]["top_country"], stage["reference_year"]) == ("IDN", 2024)
    found = await sets(client, "nickel", "processing")
    assert found["eu-crm-2023"]["chosen"] is False
    before = stage_of(await score(client, "nickel", "USA", "2021-06-30"), "processing")
    assert (before["concentration"]["top_country"], before["period"]) == ("CHN", "2016-2020")


async def test_an_old_year_is_a_flag(client: AsyncClient) -> None:
    """The rare earths' refining is known for 2016–2020 only."""
    told = await score(client, "dysprosium", "USA")
    assert stage_of(told, "processing")["period"] == "2016-2020"
    assert "old_reference_year" in told["flags"]


@pytest.mark.parametrize("country", ["USA", "DEU", "PER", "CHN"])
async def test_a_bloc_of_one_is_its_country(service: Service, country: str) -> None:
    """Reading a bloc by its weakest member changes nothing where there is one."""
    await service.write(
        [
            bloc("SOLO", source="iso-3166"),
            membership("SOLO", country, source="iso-3166"),
        ]
    )
    for mineral in ("cobalt", "lithium", "gallium", "nickel", "neodymium", "copper"):
        alone = await score(service.client, mineral, country)
        assert await score(service.client, mineral, "SOLO") == {**alone, "buyer": "SOLO"}


async def test_a_bloc_is_never_better_tied_than_its_worst_tied_member(client: AsyncClient) -> None:
    """But its members are home to it."""
    members = (await client.get(f"/v1/blocs/EU?as_of={DAY}")).json()["members"]
    for mineral in ("cobalt", "lithium", "tungsten"):
        bloc_factors = factors(await score(client, mineral, "EU"))
        for member in ("DEU", "FRA", "POL"):
            for (stage, country), t in factors(await score(client, mineral, member)).items():
                if country in members:
                    assert bloc_factors[stage, country] == 0.0
                else:
                    assert bloc_factors[stage, country] >= t


async def test_germany_has_what_the_eu_has_signed(client: AsyncClient) -> None:
    told = await score(client, "lithium", "DEU")
    chile = next(row for row in stage_of(told, "extraction")["suppliers"] if row["country"] == "CHL")
    assert (chile["tie"], chile["agreement"]) == ("memorandum", "eu-chile-mou-2023")


async def test_on_a_day_before_anything_is_known_there_is_no_score(client: AsyncClient) -> None:
    """No share of a period that had ended, so no number; not an error either."""
    told = await score(client, "cobalt", "USA", "1990-01-01")
    assert (told["status"], told["score"]) == ("insufficient_data", None)
    assert len(told["reasons"]) == 2


async def test_a_restriction_counts_against_whom_it_hits(service: Service) -> None:
    """A ban aimed at the EU multiplies Germany's factor and leaves Japan's alone; a binding clause lifts it."""
    await service.write(
        [
            restriction(
                "chl-ban-lithium",
                "CHL",
                "lithium",
                stages=("extraction",),
                targets=("EU",),
                valid_from="2026-03-01",
                source="us-state-ministerial-2026",
            )
        ]
    )

    async def chile(buyer: str, day: str) -> tuple[float, str | None]:
        stage = stage_of(await score(service.client, "lithium", buyer, day), "extraction")
        row = next(row for row in stage["suppliers"] if row["country"] == "CHL")
        return row["partner_factor"], row["restriction"]

    assert await chile("DEU", "2026-02-28") == (0.98, None)
    assert await chile("DEU", "2026-03-01") == (1.47, "chl-ban-lithium")
    assert await chile("EU", "2026-03-01") == (1.47, "chl-ban-lithium")
    assert (await chile("JPN", "2026-03-01"))[1] is None


async def test_any_past_answer_can_be_had_again_to_the_byte(service: Service) -> None:
    """What the ledger knew stays askable, whatever has been written, corrected and withdrawn since."""
    pinned = {"buyer": "USA", "as_of": "2026-02-05", "known_at": "1"}
    paths = ["/v1/minerals/lithium/score", "/v1/scores", "/v1/scores?format=csv"]

    async def ask() -> list[tuple[bytes, str]]:
        answers = [
            await service.client.get(
                path, params={**dict([path.split("?")[1].split("=")] if "?" in path else []), **pinned}
            )
            for path in paths
        ]
        assert all(answer.status_code == 200 for answer in answers)
        return [(answer.content, answer.headers["etag"]) for answer in answers]

    first = await ask()
    shipped = list(read_seeds())
    name = "us-argentina-mou-2026"
    argentina = [row for row in shipped if name in (getattr(row, "id", ""), getattr(row, "agreement", ""))]
    await service.write([bloc("SOLO", source="iso-3166")])
    await service.write(retract=argentina)
    await service.write([membership("EU", "ARG", source="iso-3166")])
    assert await ask() == first
    now = await score(service.client, "lithium", "USA", "2026-02-05")
    row = next(row for row in stage_of(now, "extraction")["suppliers"] if row["country"] == "ARG")
    assert (now["known_at"], row["agreement"]) == (4, "us-eu-joint-statement-2025")


async def test_a_bloc_without_known_members_has_its_own_agreements_only(client: AsyncClient) -> None:
    """FORGE's members were not published in what was read: an empty membership, not a guess."""
    assert (await client.get(f"/v1/blocs/FORGE?as_of={DAY}")).json()["memberships"] == []
    assert (await score(client, "cobalt", "FORGE"))["status"] == "scored"


async def test_today_is_said(client: AsyncClient) -> None:
    answer = (await client.get("/v1/minerals/cobalt/score?buyer=USA")).json()
    assert abs((date.fromisoformat(answer["as_of"]) - date.today()).days) <= 1
