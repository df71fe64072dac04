"""Claims, deposits, control and the clauses of agreements, asked of the service."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

DAY = {"as_of": "2026-02-24"}


async def ask(client: AsyncClient, path: str, **parameters: str) -> dict[str, Any]:
    answer = await client.get(path, params=DAY | parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_all_claims_are_told_as_they_were_made(client: AsyncClient) -> None:
    """Nine of one article, fifteen of the other."""
    told = await ask(client, "/v1/claims")
    assert [item["id"] for item in told["items"]] == [f"K{number:02}" for number in range(1, 25)]
    article = await ask(client, "/v1/claims", source="avispa-2026-02-24")
    assert (article["total"], article["items"][0]["made"]) == (15, "2026-02-24")


async def test_every_claim_leads_to_what_represents_it(client: AsyncClient) -> None:
    """Every address a claim gives answers, and each claim has at least one."""
    for item in (await ask(client, "/v1/claims"))["items"]:
        told = await ask(client, f"/v1/claims/{item['id']}")
        assert [f"{entry['kind']}:{entry['key']}" for entry in told["evidence"]] == item["shown_in"]
        addresses = {entry["href"] for entry in told["evidence"]} - {None}
        assert addresses, item["id"]
        for address in addresses:
            assert (await client.get(address)).status_code == 200, address


async def test_an_agreement_tells_its_clauses_with_their_places(client: AsyncClient) -> None:
    told = await ask(client, "/v1/agreements/us-australia-framework-2025")
    clauses = {clause["id"].removeprefix("us-australia-framework-2025-"): clause for clause in told["provisions"]}
    money = clauses["finance-2"]
    assert (money["amount"], money["currency"], money["binding"]) == (1e9, "USD", "no")
    assert money["source"]["locator"] == "Section I.2.2 (Financing)"
    assert "legally binding" in clauses["bindingness"]["quote"]
    assert told["agreement"]["provisions"] == sorted({clause["type"] for clause in told["provisions"]})


async def test_agreements_are_found_by_what_their_clauses_are_about(client: AsyncClient) -> None:
    floors = await ask(client, "/v1/agreements", provision="price_floor", party="MEX")
    assert [item["id"] for item in floors["items"]] == ["us-mexico-action-plan-2026"]
    assert (await ask(client, "/v1/agreements", provision="a_clause_nobody_has"))["items"] == []


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"mineral": "nickel"}, {("IDN", "CHN")}),
        ({"country": "COD"}, {("COD", "CHN")}),
        ({"controller": "JPN"}, {("MYS", "JPN")}),
        ({"mineral": "neodymium", "controller": "JPN"}, {("MYS", "JPN")}),
        ({"mineral": "tin"}, set()),
    ],
)
async def test_control_is_found_by_mineral_host_and_controller(
    client: AsyncClient, wanted: dict[str, str], found: set[tuple[str, str]]
) -> None:
    """A mineral is found in the groups it is part of too."""
    items = (await ask(client, "/v1/controls", **wanted))["items"]
    assert {(item["host"], item["controller"]) for item in items} == found


async def test_a_count_of_mines_has_no_share_and_says_what_is_printed(client: AsyncClient) -> None:
    items = (await ask(client, "/v1/controls", country="COD"))["items"]
    shares = {item["year"]: item["share"] for item in items}
    assert shares == {2016: None, 2019: 0.5, 2020: None}
    assert all(item["printed"] for item in items)


async def test_a_deposit_tells_its_caveats(client: AsyncClient) -> None:
    deposit = (await ask(client, "/v1/deposits/junin-rare-earths"))["deposit"]
    assert (deposit["country"], deposit["status"], deposit["capacity"]) == ("PER", "find", None)
    assert any("no specific rules yet" in caveat for caveat in deposit["caveats"])


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"country": "PER", "status": "find"}, {"junin-rare-earths", "puno-quelcaya-lithium"}),
        ({"country": "PER", "mineral": "uranium"}, {"puno-macusani-uranium"}),
        ({"mineral": "vanadium"}, {"gibellini-vanadium"}),
        ({"country": "JPN"}, {"minamitorishima-rare-earth-muds"}),
    ],
)
async def test_deposits_are_found_by_mineral_country_and_status(
    client: AsyncClient, wanted: dict[str, str], found: set[str]
) -> None:
    assert {item["id"] for item in (await ask(client, "/v1/deposits", **wanted))["items"]} == found


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        ("/v1/claims/K99", {}),
        ("/v1/claims", {"source": "no-such-source"}),
        ("/v1/deposits/no-such-deposit", {}),
        ("/v1/deposits", {"mineral": "no-such-mineral"}),
        ("/v1/controls", {"country": "QQQ"}),
        ("/v1/controls", {"controller": "QQQ"}),
    ],
)
async def test_what_nothing_is_called_is_not_found(client: AsyncClient, path: str, parameters: dict[str, str]) -> None:
    answer = await client.get(path, params=parameters)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")


async def test_what_china_licenses_of_the_rare_earths_is_found_under_the_group(client: AsyncClient) -> None:
    """Six elements since April 2025 beside scandium, which is no member; the five of October 2025 are suspended."""
    asked = {"country": "CHN", "mineral": "rare-earths"}
    standing = (await ask(client, "/v1/restrictions", status="in_force", **asked))["items"]
    assert {item["mineral"] for item in standing} == {
        "dysprosium", "gadolinium", "lutetium", "samarium", "terbium", "yttrium",
    }  # fmt: skip
    paused = (await ask(client, "/v1/restrictions", status="suspended", **asked))["items"]
    assert {item["mineral"] for item in paused} == {"erbium", "europium", "holmium", "thulium", "ytterbium"}
