"""Other methods behind `?method=`, the buyer's own supply behind `?mix=`, and their verification."""

from __future__ import annotations

import csv
import io
import math
from typing import Any

import pytest
from httpx import AsyncClient

from service.risk.methods import METHODS
from service.world.rows import Parameter
from tests.serving import Service

DAY = "2026-12-31"
OTHERS = [method for method in METHODS if method != "partner-adjusted"]


async def told(client: AsyncClient, path: str, **parameters: str) -> dict[str, Any]:
    answer = await client.get(path, params={"as_of": DAY, **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def score(client: AsyncClient, mineral: str, buyer: str, **more: str) -> dict[str, Any]:
    return await told(client, f"/v1/minerals/{mineral}/score", buyer=buyer, **more)


def terms(holder: dict[str, Any]) -> dict[str, Any]:
    return {term["name"]: term["value"] for term in holder["terms"]}


@pytest.mark.parametrize("method", OTHERS)
async def test_a_method_with_a_scale_of_its_own_says_so(client: AsyncClient, method: str) -> None:
    """`value` in `unit`; score, band and interval belong to the default method and are null."""
    for buyer in ("USA", "EU"):
        found = await score(client, "cobalt", buyer, method=method)
        assert found["method"] == {"id": method, "version": METHODS[method].version}
        assert (found["score"], found["band"], found["interval"], found["mix"]) == (None, None, None, None)
        assert found["unit"]
        assert (found["value"] is None) == (found["status"] == "insufficient_data") == bool(found["reasons"])
        for stage in found["stages"]:
            assert (stage["score"], stage["suppliers"], stage["risk_concentration"]) == (None, [], None)


@pytest.mark.parametrize("method", ["eu-crm", "hhi", "n-1"])
async def test_the_value_is_that_of_the_highest_stage(client: AsyncClient, method: str) -> None:
    found = await score(client, "cobalt", "EU", method=method)
    values = {stage["stage"]: stage["value"] for stage in found["stages"] if stage["value"] is not None}
    assert found["value"] == max(values.values()) == values[found["binding_stage"]]


async def test_the_eus_supply_risk_can_be_recomputed_from_what_is_printed(client: AsyncClient) -> None:
    """Tungsten's processing: both mixes by supplier, trade parameter and governance, and the four components."""
    found = await score(client, "tungsten", "EU", method="eu-crm")
    stage = next(stage for stage in found["stages"] if stage["stage"] == "processing")
    h = {}
    for mix in stage["mixes"]:
        h[mix["of"]] = sum(s["amount"] ** 2 * s["weight"] * s["factor"] for s in mix["suppliers"])
        assert h[mix["of"]] == pytest.approx(mix["total"], abs=1e-6)
    parts = terms(stage)
    reliance = parts["import_reliance"]
    bracket = h["world_supply"] * reliance / 2 + h["own_supply"] * (1 - reliance / 2)
    assert bracket * (1 - parts["eol_rir"]) * parts["si_sr"] == pytest.approx(stage["value"], abs=1e-5)
    assert terms(found)["list_year"] == 2023
    assert terms(found)["critical_by_list_rule"] == 1


async def test_the_eus_method_takes_the_newest_study_that_was_out(client: AsyncClient) -> None:
    """The study of 2017 until the next is out; for cork, which only it prints, also afterwards, and flagged."""
    before = await score(client, "tungsten", "EU", method="eu-crm", as_of="2020-06-30")
    assert terms(before)["list_year"] == 2017
    cork = await score(client, "natural-cork", "EU", method="eu-crm")
    assert (terms(cork)["list_year"], cork["flags"]) == (2017, ["older_study"])
    early = await score(client, "tungsten", "EU", method="eu-crm", as_of="2010-01-01")
    assert early["status"] == "insufficient_data"


async def test_concentration_is_the_same_for_every_buyer(client: AsyncClient) -> None:
    """And it is the one the default method prints beside its score."""
    usa, china = [await score(client, "gallium", buyer, method="hhi") for buyer in ("USA", "CHN")]
    assert usa["value"] == china["value"]
    default = await score(client, "gallium", "USA")
    assert usa["value"] == pytest.approx(100 * math.sqrt(default["stages"][0]["concentration"]["hhi"]), abs=1e-3)


async def test_without_the_largest_supplier_the_others_demand_needs_to_be_known(client: AsyncClient) -> None:
    found = await score(client, "gallium", "USA", method="n-1")
    stage = found["stages"][0]
    assert terms(stage)["met_of_world_demand"] == pytest.approx(1 - stage["mixes"][0]["suppliers"][0]["amount"])
    assert terms(stage)["met_of_others_demand"] is None


async def test_domestic_use_in_the_ledger_gives_both_what_they_miss(service: Service) -> None:
    """China's own use of rare-earth ores (2025, in the unit of its output) at half of what it mines."""
    found = await score(service.client, "rare-earths", "USA", method="n-1")
    stage = next(stage for stage in found["stages"] if stage["stage"] == "extraction")
    leader = stage["mixes"][0]["suppliers"][0]
    assert leader["country"] == "CHN"
    use = Parameter(
        source="usgs-mcs-2026",
        name="consumption",
        mineral="rare-earths",
        stage="extraction",
        country="CHN",
        year=stage["reference_year"],
        value=135_000.0,
        printed="135,000",
        unit="metric tons",
    )
    await service.write([use])
    again = await score(service.client, "rare-earths", "USA", method="n-1")
    later = next(stage for stage in again["stages"] if stage["stage"] == "extraction")
    assert later["value"] == stage["value"]
    met = terms(later)["met_of_others_demand"]
    assert met is not None
    assert met > terms(later)["met_of_world_demand"]
    left = await score(service.client, "rare-earths", "USA", method="available-to-market")
    assert left["status"] == "scored"
    assert "use_not_known" in left["flags"]


@pytest.mark.parametrize("method", METHODS)
async def test_all_minerals_under_a_method_as_json_and_csv(client: AsyncClient, method: str) -> None:
    """Sorted by value, those without one last; each value is that of the mineral's own answer."""
    found = await told(client, "/v1/scores", buyer="EU", method=method, limit="1000")
    values = [row["value"] for row in found["items"]]
    known = [value for value in values if value is not None]
    assert values == [*known, *[None] * (len(values) - len(known))]
    order = [row["score"] if method == "partner-adjusted" else row["value"] for row in found["items"][: len(known)]]
    assert order == sorted(order, reverse=True)
    for row in found["items"][:3]:
        assert row["value"] == (await score(client, row["mineral"], "EU", method=method))["value"]
    parameters = {"buyer": "EU", "method": method, "as_of": DAY, "format": "csv", "limit": "1000"}
    answer = await client.get("/v1/scores", params=parameters)
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["value"] for row in rows] == ["" if value is None else str(value) for value in values]


async def test_what_only_the_default_method_has_is_refused_by_name(client: AsyncClient) -> None:
    """Bands and the buyer's own supply."""
    for path, name, value in (("/v1/scores", "band", "high"), ("/v1/minerals/cobalt/score", "mix", "sourcing")):
        answer = await client.get(path, params={"buyer": "EU", "method": "hhi", name: value})
        assert answer.status_code == 404, answer.text
        assert answer.json()["errors"][0]["parameter"] == name


async def test_the_default_answer_rests_on_the_worlds_supply_and_says_so(client: AsyncClient) -> None:
    found = await score(client, "gallium", "USA")
    assert found["mix"] == "world"
    assert all(stage["own_supply"] is None for stage in found["stages"])


async def test_the_buyers_own_supply_enters_as_in_the_eus_equation(client: AsyncClient) -> None:
    """Every stage score follows from the suppliers and the import reliance printed, for the USA and for the EU."""
    for mineral, buyer in (("gallium", "USA"), ("copper", "USA"), ("lithium", "EU"), ("tungsten", "EU")):
        found = await score(client, mineral, buyer, mix="sourcing")
        assert found["mix"] == "sourcing"
        counted = 0
        for stage in found["stages"]:
            world = sum(supplier["contribution"] for supplier in stage["suppliers"])
            own = stage["own_supply"]
            h = world
            if own is not None and own["counted"]:
                counted += 1
                mine = sum(s["share"] ** 2 * s["governance"] * s["partner_factor"] for s in own["suppliers"])
                assert mine == pytest.approx(own["h_own"], abs=1e-5)
                h = world * own["import_reliance"] / 2 + mine * (1 - own["import_reliance"] / 2)
            assert stage["value"] == pytest.approx(100 * min(1, math.sqrt(h)), abs=2e-3)
            assert stage["risk_concentration"] == pytest.approx(h, abs=1e-5)
            assert stage["interval"]["low"] <= stage["score"] <= stage["interval"]["high"]
        assert counted, (mineral, buyer)
        assert found["interval"]["low"] <= found["score"] <= found["interval"]["high"]


async def test_imports_alone_leave_the_rest_to_home(client: AsyncClient) -> None:
    """USGS prints where the USA imports from: what it does not import is its own, and home carries no risk."""
    found = await score(client, "copper", "USA", mix="sourcing")
    own = next(stage["own_supply"] for stage in found["stages"] if stage["stage"] == "processing")
    home = next(supplier for supplier in own["suppliers"] if supplier["country"] == "USA")
    assert own["of"] == "imports"
    assert home["share"] == pytest.approx(1 - own["import_reliance"])
    assert (home["tie"], home["contribution"]) == ("home", 0)


async def test_where_the_ledger_knows_no_sourcing_the_worlds_supply_counts_alone(client: AsyncClient) -> None:
    """Nobody prints where Peru buys."""
    plain, sourced = [await score(client, "gallium", "PER", mix=mix) for mix in ("world", "sourcing")]
    assert plain["score"] == sourced["score"]
    assert all(stage["own_supply"] is None for stage in sourced["stages"])


async def test_own_supply_in_the_list_is_that_of_the_single_answers(client: AsyncClient) -> None:
    found = await told(client, "/v1/scores", buyer="USA", mix="sourcing", limit="1000")
    rows = {row["mineral"]: row for row in found["items"]}
    for mineral in ("gallium", "copper", "silver"):
        alone = await score(client, mineral, "USA", mix="sourcing")
        assert (rows[mineral]["score"], rows[mineral]["band"]) == (alone["score"], alone["band"])
        assert rows[mineral]["interval_low"] == alone["interval"]["low"]


@pytest.mark.parametrize("method", METHODS)
async def test_a_methods_page_is_its_own(client: AsyncClient, method: str) -> None:
    """Formula and limits, unit and meaning of its values; the ladder is the default method's alone."""
    answer = await client.get(f"/v1/methods/{method}")
    found = answer.json()
    assert "Limits" in found["documentation"]
    assert found["parameters"]["unit"]
    assert ("ladder" in found["parameters"]) == (method == "partner-adjusted")


async def test_every_flag_a_method_raises_is_described(client: AsyncClient) -> None:
    for method in OTHERS:
        described = (await client.get(f"/v1/methods/{method}")).json()["parameters"]["flags"]
        rows = (await told(client, "/v1/scores", buyer="EU", method=method, limit="1000"))["items"]
        assert {flag for row in rows for flag in row["flags"]} <= set(described)


async def test_verification_prints_every_row_with_its_verdict(client: AsyncClient) -> None:
    found = await told(client, "/v1/methods/eu-crm/verification")
    assert len(found["rows"]) == 79 + 123
    assert found["verdicts"]["mismatch"] == 0
    assert sum(found["verdicts"].values()) == len(found["rows"])
    assert set(found["verdicts"]) == set(found["meanings"])
    newest = found["tallies"][0]
    assert (newest["vintage"], newest["published"], newest["exact"]) == (2023, 57, 37)
    for row in found["rows"]:
        if row["difference"] is not None:
            assert row["difference"] == pytest.approx(row["computed"] - row["published"])
        assert row["reason"] or row["verdict"] in ("exact", "within_rounding", "predicted")
    assert {rule["year"]: rule["published"] for rule in found["list_rule"]} == {2017: 26, 2020: 30, 2023: 32}


async def test_verification_says_where_there_is_nothing_to_compare_with(client: AsyncClient) -> None:
    own = await told(client, "/v1/methods/partner-adjusted/verification")
    assert (own["rows"], own["note"] != "") == ([], True)
    geopolrisk = await told(client, "/v1/methods/geopolrisk/verification")
    assert geopolrisk["verdicts"]["not_computable"] == len(geopolrisk["rows"]) == 66
    answer = await client.get("/v1/methods/nix/verification")
    assert answer.status_code == 404
