"""Methods side by side, and what others have rated."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest
from httpx import AsyncClient

from service.methods.ranks import ranks, spearman
from service.risk.methods import METHODS

DAY = "2026-12-31"


async def told(client: AsyncClient, path: str, **parameters: str) -> dict[str, Any]:
    answer = await client.get(path, params={"as_of": DAY, **parameters})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_every_method_says_something_of_a_mineral(client: AsyncClient) -> None:
    """A value with its unit and rank, or the reasons why there is none."""
    found = await told(client, "/v1/compare", mineral="gallium", buyer="EU")
    methods = {item["method"]["id"]: item for item in found["methods"]}
    assert list(methods) == list(METHODS)
    for item in methods.values():
        assert item["unit"]
        assert item["meaning"]
        assert (item["value"] is None) == (item["status"] == "insufficient_data") == bool(item["reasons"])
        assert (item["rank"] is None) == (item["value"] is None)
        assert item["rank"] is None or 1 <= item["rank"] <= item["of"]
    assert methods["eu-crm"]["unit"] == "SR"
    assert methods["eu-crm"]["value"] == pytest.approx(3.778527)
    assert methods["geopolrisk"]["status"] == "insufficient_data"


async def test_the_default_methods_value_is_its_score(client: AsyncClient) -> None:
    found = await told(client, "/v1/compare", mineral="cobalt", buyer="USA")
    score = await told(client, "/v1/minerals/cobalt/score", buyer="USA")
    default = found["methods"][0]
    assert default["method"] == score["method"]
    assert default["value"] == score["value"]
    assert round(default["value"], 1) == score["score"]
    assert default["binding_stage"] == score["binding_stage"]


async def test_all_minerals_are_ranked_under_each_method(client: AsyncClient) -> None:
    """Ranks follow from the values printed beside them; each pair of methods has its rank correlation."""
    found = await told(client, "/v1/compare", buyer="EU")
    assert (found["mineral"], found["methods"]) == (None, [])
    minerals = await told(client, "/v1/minerals", limit="1000")
    assert [row["mineral"] for row in found["minerals"]] == [item["id"] for item in minerals["items"]]
    for method in METHODS:
        values = {row["mineral"]: row["values"][method] for row in found["minerals"]}
        known = {mineral: value for mineral, value in values.items() if value is not None}
        assert {row["mineral"]: row["ranks"][method] for row in found["minerals"]} == {
            mineral: ranks(known).get(mineral) for mineral in values
        }
    assert [tuple(pair["methods"]) for pair in found["correlations"]] == list(combinations(METHODS, 2))
    for pair in found["correlations"]:
        one, other = pair["methods"]
        both = [row["values"] for row in found["minerals"] if None not in (row["values"][one], row["values"][other])]
        assert pair["minerals"] == len(both)
        again = spearman([values[one] for values in both], [values[other] for values in both])
        assert pair["spearman"] == (None if again is None else pytest.approx(again, abs=1e-6))


async def test_methods_that_look_at_the_same_agree_more_than_others(client: AsyncClient) -> None:
    """Concentration alone orders minerals nearly as the loss of the largest supplier does."""
    found = await told(client, "/v1/compare", buyer="EU")
    pairs = {tuple(pair["methods"]): pair["spearman"] for pair in found["correlations"]}
    assert pairs["hhi", "n-1"] > 0.9
    assert 0 < pairs["partner-adjusted", "eu-crm"] < pairs["hhi", "n-1"]
    assert pairs["geopolrisk", "hhi"] is None  # no trade is shipped


async def test_ratings_of_others_are_facts_with_a_source(client: AsyncClient) -> None:
    """Germanium: the EU by list year, the British risk list of 2015 (8.6), most critical for the UK in 2024."""
    found = await told(client, "/v1/minerals/germanium/ratings")
    rated = {(item["source"]["source"], item["measure"], item["year"]): item for item in found["ratings"]}
    assert rated["bgs-risk-list-2015", "risk_index", 2015]["value"] == 8.6
    assert rated["uk-criticality-2024", "most_critical", 2024]["value"] is None
    assert rated["eu-crm-2023", "supply_risk", 2020]["printed"] == "3.9"
    assert rated["eu-crm-2023", "economic_importance", 2023]["value"] == 3.6
    assert ("eu-crm-2023", "supply_risk", 2023) not in rated  # not at hand, so not there
    assert {item["list"] for item in found["lists"]} == {"eu-2023", "us-2025"}


async def test_ratings_stand_beside_our_values(client: AsyncClient) -> None:
    beside = await told(client, "/v1/compare", mineral="germanium", buyer="EU")
    alone = await told(client, "/v1/minerals/germanium/ratings")
    assert (beside["ratings"], beside["lists"]) == (alone["ratings"], alone["lists"])


async def test_a_rating_counts_from_its_year(client: AsyncClient) -> None:
    answer = await client.get("/v1/minerals/germanium/ratings", params={"as_of": "2015-06-01"})
    assert max(item["year"] for item in answer.json()["ratings"]) == 2015


async def test_an_unknown_mineral_is_refused_by_name(client: AsyncClient) -> None:
    answer = await client.get("/v1/compare", params={"buyer": "USA", "mineral": "unobtainium"})
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["parameter"] == "mineral"


def test_ranks_share_the_better_place() -> None:
    assert ranks({"a": 3.0, "b": 5.0, "c": 3.0, "d": 1.0}) == {"a": 2, "b": 1, "c": 2, "d": 4}


def test_rank_correlation_is_spearmans() -> None:
    """1 − 6·Σd²/(n(n²−1)) without equal values; with them the correlation of mean ranks."""
    assert spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) == pytest.approx(0.8207826816681233)
    assert spearman([1, 2, 3], [10, 20, 30]) == 1
    assert spearman([1, 2, 3], [3, 2, 1]) == -1
    assert spearman([1, 2, 3, 4], [2, 1, 4, 3]) == pytest.approx(1 - 6 * 4 / (4 * 15))
    assert spearman([1, 1, 1], [1, 2, 3]) is None
    assert spearman([1, 2], [1, 2]) is None
