"""Output by territory and by control."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from service.world.attribution import attributed, available_to_market, figures
from service.world.rows import Control
from service.world.scoring import score_all
from service.world.world import World
from tests.evidence import SOURCE, country, governance, mineral, share, source, world_of

DAY = date(2025, 6, 1)


def control(host: str, controller: str, part: float | None, year: int = 2023, **more: Any) -> Control:
    fields = {"mineral": "nickel", "stage": "processing", "host": host, "controller": controller, "year": year}
    return Control(**fields | {"share": part, "printed": f"{part}", "evidence_level": "study", "source": SOURCE} | more)


def a_world(*rows: Control) -> World:
    """Nickel from Indonesia (.6), China (.2) and Finland (.1), and a withheld supplier."""
    codes = ("CHN", "FIN", "IDN", "USA")
    return world_of(
        map(country, codes),
        [
            row
            for code, estimate in zip(codes, (-1.0, 1.5, -0.5, 1.0), strict=True)
            for row in governance(code, estimate)
        ],
        source("better", precedence=1),
        mineral("nickel"),
        share("nickel", "IDN", 0.6),
        share("nickel", "CHN", 0.2),
        share("nickel", "FIN", 0.1),
        share("nickel", "USA", None),
        *rows,
    )


def by_control(world: World, on: date = DAY) -> dict[str, float]:
    found = attributed(world, "control", on).share_set("nickel", "processing", on)
    assert found is not None
    return found.by_country


def test_what_is_owned_counts_as_the_owners() -> None:
    found = by_control(a_world(control("IDN", "CHN", 0.75)))
    assert found == {"CHN": pytest.approx(0.65), "IDN": pytest.approx(0.15), "FIN": 0.1}


def test_without_figures_both_are_the_same() -> None:
    """The very same numbers, not only equal ones."""
    world = a_world()
    lens = attributed(world, "control", DAY)
    assert lens.share_sets == world.share_sets
    one, other = (score_all(each, "USA", DAY).scores.score for each in (world, lens))
    assert (one == other).all()


def test_a_figure_without_a_share_says_nothing() -> None:
    assert by_control(a_world(control("IDN", "CHN", None))) == {"IDN": 0.6, "CHN": 0.2, "FIN": 0.1}


def test_by_territory_nothing_moves() -> None:
    world = a_world(control("IDN", "CHN", 0.75))
    assert attributed(world, "territory", DAY) is world


def test_the_newest_year_that_is_over_counts() -> None:
    """Of one host; another keeps its own year."""
    world = a_world(
        control("IDN", "CHN", 0.5, 2020),
        control("IDN", "CHN", 0.75, 2023),
        control("IDN", "CHN", 0.9, 2025),
        control("FIN", "CHN", 0.5, 2019),
    )
    assert by_control(world) == {"CHN": pytest.approx(0.7), "IDN": pytest.approx(0.15), "FIN": pytest.approx(0.05)}
    assert by_control(world, date(2025, 12, 31))["IDN"] == pytest.approx(0.06)


def test_figures_of_two_sources_are_never_mixed() -> None:
    """The one of better precedence counts for the host, with all it names."""
    world = a_world(
        control("IDN", "CHN", 0.75), control("IDN", "FIN", 0.2, source="better"), control("IDN", "USA", 0.1)
    )
    (used,) = figures(world, "nickel", "processing", "ownership", DAY)["IDN"]
    assert (used.source, used.controller) == ("better", "FIN")
    assert by_control(world)["FIN"] == pytest.approx(0.1 + 0.12)


def test_a_country_whose_own_share_is_withheld_may_own_some_elsewhere() -> None:
    world = a_world(control("IDN", "USA", 0.5))
    shares = attributed(world, "control", DAY).share_set("nickel", "processing", DAY)
    assert shares is not None
    assert shares.by_country["USA"] == pytest.approx(0.3)
    assert [row.country for row in shares.rows if row.share is None] == ["USA"]
    home = score_all(attributed(world, "control", DAY), "USA", DAY).scores.stages
    assert home.coverage(0)["home"] == pytest.approx(0.3)


def test_governance_is_the_owners() -> None:
    """With all of Indonesia's capacity owned from Finland its weight is Finland's: .7² · .2 + .2² · .7."""
    world = attributed(a_world(control("IDN", "FIN", 1.0)), "control", DAY)
    assert score_all(world, "USA", DAY).scores.stages.h[0] == pytest.approx(0.7**2 * 0.2 + 0.2**2 * 0.7)


def test_offtake_moves_no_share() -> None:
    world = a_world(control("IDN", "CHN", 0.5, type="offtake"))
    assert by_control(world) == {"IDN": 0.6, "CHN": 0.2, "FIN": 0.1}


def test_offtake_leaves_less_to_the_market() -> None:
    world = a_world(control("IDN", "CHN", 0.5, type="offtake"))
    shares = world.share_set("nickel", "processing", DAY)
    assert shares is not None
    committed = figures(world, "nickel", "processing", "offtake", DAY)
    assert available_to_market(shares, committed, frozenset({"USA"})) == pytest.approx(0.6)
    assert available_to_market(shares, committed, frozenset({"CHN"})) == pytest.approx(0.9)
    assert available_to_market(shares, {}, frozenset({"USA"})) is None
