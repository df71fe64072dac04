"""Worked vectors through the ledger and the methods that run on it, to the digit."""

from __future__ import annotations

from datetime import date

import pytest

from service.methods import Valued, run
from service.methods.engine import StageValue
from service.world.rows import Parameter
from service.world.world import World
from tests.evidence import SOURCE, country, governance, mineral, share, world_of

DAY = date(2026, 2, 5)
NAMED = {"AAA": 0.74, "BBB": 0.10, "CCC": 0.03}
"""The vector .74, .10, .03 with a remainder of .13: Σs² .5585, with one holder .5754, with the tighter bound .5622."""


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(
        [country(code) for code in NAMED],
        mineral("vector"),
        [share("vector", code, part, quantity=part * 1000, total=1000.0, unit="t") for code, part in NAMED.items()],
        [row for code in NAMED for row in governance(code, 0.0)],
        [use("AAA", 540.0), use("BBB", 0.0)],
    )


def use(code: str, amount: float) -> Parameter:
    return Parameter(
        source=SOURCE,
        name="consumption",
        mineral="vector",
        stage="processing",
        country=code,
        year=2024,
        value=amount,
        printed=f"{amount}",
        unit="t",
    )


def only(valued: Valued) -> StageValue:
    (stage,) = valued.stages
    return stage


def terms(world: World, method: str) -> dict[str, float | None]:
    return {term.name: term.value for term in only(run(world, method, "AAA", DAY)["vector"]).terms}


def test_concentration_and_its_bounds(world: World) -> None:
    found = terms(world, "hhi")
    assert found["hhi"] == pytest.approx(0.5585)
    assert found["hhi_high"] == pytest.approx(0.5754)
    assert found["hhi_tight"] == pytest.approx(0.5622)
    assert found["hhi_10000"] == pytest.approx(5585)
    assert found["effective_suppliers"] == pytest.approx(1 / 0.5585)
    assert run(world, "hhi", "AAA", DAY)["vector"].value == pytest.approx(100 * 0.5585**0.5)


def test_what_remains_without_the_largest_supplier_in_both_readings(world: World) -> None:
    """26 % of the world's demand; of the others', who are without the leader's own 54 %, 26/46."""
    found = terms(world, "n-1")
    assert found["met_of_world_demand"] == pytest.approx(0.26)
    assert found["met_of_others_demand"] == pytest.approx(0.26 / 0.46)
    assert run(world, "n-1", "AAA", DAY)["vector"].value == pytest.approx(74)


def test_what_is_left_to_the_market(world: World) -> None:
    """200 t of 740 and all 100 t: two thirds and one third, so H is 5/9; the third producer's use is not known."""
    valued = run(world, "available-to-market", "AAA", DAY)["vector"]
    assert valued.value == pytest.approx(100 * (5 / 9) ** 0.5)
    assert only(valued).flags == ("use_not_known",)


def test_without_known_use_nothing_is_said_about_the_market(shipped: World) -> None:
    """No domestic use is shipped: every mineral has a reason instead of a number."""
    values = run(shipped, "available-to-market", "USA", DAY)
    assert {valued.value for valued in values.values()} == {None}
    assert all(valued.reasons for valued in values.values())


def test_a_method_without_its_evidence_gives_reasons_and_no_numbers(shipped: World) -> None:
    """GeoPolRisk has no trade here, and the EU's studies speak of the EU alone."""
    for method in ("geopolrisk", "eu-crm"):
        values = run(shipped, method, "USA", DAY)
        assert {valued.value for valued in values.values()} == {None}
        assert all(valued.reasons for valued in values.values())
