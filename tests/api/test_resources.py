"""What the ledger knows beside scores: minerals, countries, blocs, sources, agreements, restrictions and methods."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

from service.risk.partners import LADDER, RestrictionType, Tier
from tests.evidence import agreement, bloc, membership
from tests.serving import Service


async def get(client: AsyncClient, path: str, **parameters: str) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def ids(client: AsyncClient, path: str, **parameters: str) -> set[str]:
    return {item["id"] for item in (await get(client, path, limit="1000", **parameters))["items"]}


async def test_a_mineral_tells_names_lists_share_sets_and_reserves(client: AsyncClient) -> None:
    told = await get(client, "/v1/minerals/cobalt", as_of="2026-02-05")
    assert (told["name_en"], told["name_de"], told["symbol"]) == ("Cobalt", "Kobalt", "Co")
    assert {(row["list"], row["status"]) for row in told["lists"]} >= {
        ("us-2025", "critical"),
        ("eu-2023", "critical"),
        ("eu-2023", "strategic"),
    }
    assert told["uses"]
    assert {row["country"] for row in told["reserves"]} >= {"COD", "AUS"}
    assert all(row["printed"] and row["unit"] and row["source"]["source"] for row in told["reserves"])
    for stage in ("extraction", "processing"):
        assert [row["chosen"] for row in told["share_sets"] if row["stage"] == stage].count(True) == 1


async def test_a_country_tells_its_blocs_and_governance(client: AsyncClient) -> None:
    """g comes from the five years that had ended, and says which."""
    told = await get(client, "/v1/countries/DEU", as_of="2026-02-05")
    assert {"EU", "EU-SINGLE-MARKET", "EU-CUSTOMS-UNION"} <= set(told["blocs"])
    assert 0 < told["governance"]["weight"] < 0.3
    assert (told["governance"]["years"], told["governance"]["release"]) == ([2019, 2020, 2021, 2022, 2023], "wgi-2024")


async def test_governance_of_an_earlier_day_is_that_of_the_years_before_it(client: AsyncClient) -> None:
    """Nothing is used before its year had ended."""
    told = await get(client, "/v1/countries/DEU", as_of="2021-06-30")
    assert told["governance"]["years"] == [2016, 2017, 2018, 2019, 2020]
    assert (await get(client, "/v1/countries/DEU", as_of="2000-01-01"))["governance"]["weight"] is None


async def test_a_country_without_governance_says_so(client: AsyncClient) -> None:
    """New Caledonia mines nickel and has no figure: null, not a guess."""
    told = await get(client, "/v1/countries/NCL")
    assert told["governance"] == {"weight": None, "standard_error": None, "years": [], "release": None}


async def test_a_bloc_has_the_members_of_the_day(client: AsyncClient) -> None:
    """The United Kingdom left the EU on 2020-02-01."""
    for day, inside in (("2020-01-31", True), ("2020-02-01", False)):
        told = await get(client, "/v1/blocs/EU", as_of=day)
        assert ("GBR" in told["members"]) == inside
        row = next(row for row in told["memberships"] if row["country"] == "GBR")
        assert (row["valid_to"], row["current"]) == ("2020-02-01", inside)
    assert len((await get(client, "/v1/blocs/EU", as_of="2026-02-05"))["members"]) == 27


async def test_a_bloc_names_its_successor(client: AsyncClient) -> None:
    told = await get(client, "/v1/blocs/MSP", as_of="2026-02-05")
    assert (told["successor"], told["members"]) == ("FORGE", [])
    assert "USA" in (await get(client, "/v1/blocs/MSP", as_of="2026-02-03"))["members"]


async def test_a_source_tells_licence_and_how_much_rests_on_it(client: AsyncClient) -> None:
    told = (await get(client, "/v1/sources/wgi-2024"))["source"]
    assert "CC BY 4.0" in told["licence"]
    assert told["attribution"]
    assert told["rows"] == {"governance": 13_899}


async def test_every_citation_leads_to_a_source(client: AsyncClient) -> None:
    known = await ids(client, "/v1/sources")
    for path in ("/v1/agreements", "/v1/restrictions"):
        for item in (await get(client, path, limit="1000"))["items"]:
            assert item["source"]["source"] in known
            assert item["source"]["locator"]


async def test_an_agreement_has_the_status_of_the_day(client: AsyncClient) -> None:
    """The agreement with Japan was signed and in force on 2023-03-28."""
    path = "/v1/agreements/us-japan-critical-minerals-2023"
    day_before = (await get(client, path, as_of="2023-03-27"))["agreement"]
    on_the_day = (await get(client, path, as_of="2023-03-28"))["agreement"]
    assert (day_before["status"], day_before["tie"]) == ("pending", "none")
    assert (on_the_day["status"], on_the_day["tie"]) == ("in_force", "binding")


async def test_bindingness_nobody_states_counts_as_not_binding(client: AsyncClient) -> None:
    told = (await get(client, "/v1/agreements/us-guinea-mou-2026", as_of="2026-02-05"))["agreement"]
    assert (told["binding"], told["status"], told["tie"]) == ("not_stated", "signed", "memorandum")


async def test_agreements_of_a_country_are_also_those_of_its_blocs(client: AsyncClient) -> None:
    """Germany has what the EU has signed; Norway has not."""
    assert "eu-chile-mou-2023" in await ids(client, "/v1/agreements", party="DEU", as_of="2026-02-05")
    assert "eu-chile-mou-2023" in await ids(client, "/v1/agreements", party="EU", as_of="2026-02-05")
    assert "eu-chile-mou-2023" not in await ids(client, "/v1/agreements", party="NOR", as_of="2026-02-05")


async def test_agreements_narrow_by_mineral_status_bindingness(client: AsyncClient) -> None:
    """Filters hold together; every one is true of every item left."""
    everything = (await get(client, "/v1/agreements", limit="1000", as_of="2026-02-05"))["items"]
    for name, value in (("status", "signed"), ("status", "in_force"), ("status", "ended"), ("binding", "yes")):
        found = await ids(client, "/v1/agreements", as_of="2026-02-05", **{name: value})
        assert found == {item["id"] for item in everything if item[name] == value}
        assert found
    of_cobalt = await ids(client, "/v1/agreements", as_of="2026-02-05", mineral="cobalt")
    assert "us-japan-critical-minerals-2023" in of_cobalt
    assert "us-japan-critical-minerals-2023" not in await ids(
        client, "/v1/agreements", as_of="2026-02-05", mineral="tungsten"
    )


async def test_restrictions_have_status_and_strength(client: AsyncClient) -> None:
    told = (await get(client, "/v1/restrictions/chn-licence-gallium-2023", as_of="2026-02-05"))["restriction"]
    assert (told["type"], told["status"], told["factor"]) == (
        "licence",
        "in_force",
        LADDER.r(RestrictionType.LICENCE).central,
    )
    early = (await get(client, "/v1/restrictions/chn-licence-gallium-2023", as_of="2023-07-31"))["restriction"]
    assert early["status"] == "pending"


async def test_a_year_counts_from_its_last_day(client: AsyncClient) -> None:
    """The source says 2024 and no more, so it is certain on 2024-12-31 and on no earlier day."""
    for day, status in (("2024-12-30", "pending"), ("2024-12-31", "in_force")):
        told = await get(client, "/v1/restrictions/ago-ban-gypsum-2024", as_of=day)
        assert told["restriction"]["status"] == status


async def test_restrictions_narrow_by_country_mineral_and_status(client: AsyncClient) -> None:
    """Restricting rare earths restricts each of them."""
    chinese = await ids(client, "/v1/restrictions", country="CHN", as_of="2026-02-05")
    assert chinese
    assert all(name.startswith("chn-") for name in chinese)
    of_neodymium = await ids(client, "/v1/restrictions", mineral="neodymium", as_of="2026-02-05")
    assert any("rare-earths" in name for name in of_neodymium)
    pending = await ids(client, "/v1/restrictions", status="pending", as_of="1990-01-01")
    assert pending == await ids(client, "/v1/restrictions")


async def test_a_method_is_documented_with_its_ladder_bands_and_flags(client: AsyncClient) -> None:
    """The docstring is the documentation; the ladder says that it is a convention."""
    told = await get(client, "/v1/methods/partner-adjusted")
    assert (told["id"], told["version"]) == ("partner-adjusted", 1)
    assert "score = 100 · min(1, √H)" in told["documentation"]
    ladder = told["parameters"]["ladder"]
    assert "this project's own" in ladder["convention"]
    assert [(step["tie"], step["central"], step["low"], step["high"]) for step in ladder["ties"]] == [
        ("home", 0.0, 0.0, 0.0),
        ("single_market", 0.8, 0.8, 0.8),
        ("binding", 0.85, 0.8, 1.0),
        ("binding_signed", 0.95, 0.85, 1.0),
        ("programme", 0.97, 0.9, 1.0),
        ("memorandum", 0.98, 0.95, 1.0),
        ("forum", 0.99, 0.97, 1.0),
        ("none", 1.0, 1.0, 1.0),
    ]
    assert [(step["type"], step["central"]) for step in ladder["restrictions"]] == [
        ("licence", 1.1),
        ("tax", 1.2),
        ("quota", 1.3),
        ("ban", 1.5),
    ]
    assert [(band["band"], band["below"]) for band in told["parameters"]["bands"]] == [
        ("low", 20.0),
        ("moderate", 31.6228),
        ("high", 50.0),
        ("severe", 70.7107),
        ("extreme", None),
    ]


async def test_the_default_method_is_listed_first(client: AsyncClient) -> None:
    methods = (await get(client, "/v1/methods"))["items"]
    assert methods[0]["id"] == "partner-adjusted"
    for method in methods:
        assert (await get(client, f"/v1/methods/{method['id']}"))["documentation"]


@pytest.mark.parametrize("level", list(Tier))
def test_every_rung_of_the_ladder_has_a_meaning(level: Tier) -> None:
    assert level.description


async def test_health_tells_what_is_served(client: AsyncClient) -> None:
    assert await get(client, "/health/ready") == {"status": "ready", "known_at": 1, "database": "up", "detail": ""}
    assert (await get(client, "/health/live"))["status"] == "live"


async def test_metrics_are_prometheus_text(client: AsyncClient) -> None:
    """Counted by route, not by path, so that their number is bounded."""
    await client.get("/v1/minerals/cobalt")
    await client.get("/v1/minerals/nickel")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert answer.headers["content-type"].count("charset") == 1
    assert 'chokepoint_requests_total{route="/v1/minerals/{mineral}",status="200"}' in answer.text
    assert "cobalt" not in answer.text
    assert "chokepoint_database_up 1.0" in answer.text


async def test_a_membership_counts_for_agreements_from_its_day(service: Service) -> None:
    """A country gets a bloc's agreements on the day it belongs, and loses them on the day it leaves."""
    rows = [
        bloc("CLUB", source="iso-3166"),
        membership("CLUB", "KEN", "2024-05-01", valid_to="2025-05-01", source="iso-3166"),
        agreement("club-chl-pact", "CLUB", "CHL", signed="2023-01-01", source="us-state-ministerial-2026"),
    ]
    await service.write(rows)
    for day, tied in (("2024-04-30", False), ("2024-05-01", True), ("2025-04-30", True), ("2025-05-01", False)):
        assert ("club-chl-pact" in await ids(service.client, "/v1/agreements", party="KEN", as_of=day)) == tied
