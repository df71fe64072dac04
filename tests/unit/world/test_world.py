"""The World: the ledger at one revision, indexed."""

from __future__ import annotations

from datetime import date

import pytest

from service.world.world import World
from tests.evidence import (
    bloc,
    country,
    governance,
    listing,
    membership,
    mineral,
    restriction,
    share,
    source,
    world_of,
)

DAY = date(2026, 2, 5)


def test_a_group_means_its_members_and_all_its_members_mean_the_group() -> None:
    world = world_of(
        [mineral(name) for name in ("neodymium", "dysprosium", "cobalt")],
        mineral("light", members=("neodymium",)),
        mineral("heavy", members=("dysprosium",)),
        mineral("rare", members=("light", "heavy", "neodymium", "dysprosium")),
    )

    def covered(*names: str) -> set[str]:
        return set(world.covered(frozenset(names)))

    assert covered("cobalt") == {"cobalt"}
    assert covered("light") == {"light", "neodymium"}
    assert covered("rare") == {"rare", "light", "heavy", "neodymium", "dysprosium"}
    assert covered("light", "heavy") == covered("rare")
    assert covered() == set()


def test_members_and_lists_are_those_of_the_day() -> None:
    world = world_of(
        country("AAA"),
        mineral("cobalt"),
        bloc("CLUB"),
        membership("CLUB", "AAA", "2020-05", valid_to="2024"),
        listing("list", "CLUB", "cobalt", valid_from="2021-01-01", valid_to="2022-01-01"),
    )
    for day, inside in (("2020-05-30", False), ("2020-05-31", True), ("2024-12-30", True), ("2024-12-31", False)):
        assert (world.members("CLUB", date.fromisoformat(day)) == {"AAA"}) == inside
        assert (world.blocs_of("AAA", date.fromisoformat(day)) == {"CLUB"}) == inside
    for day, listed in (("2020-12-31", False), ("2021-01-01", True), ("2022-01-01", False)):
        assert (world.listed("CLUB", date.fromisoformat(day)) == {"cobalt"}) == listed


def test_it_counts_what_cites_each_source() -> None:
    world = world_of(source("b"), [country("AAA"), country("BBB", source="b")], mineral("cobalt"))
    assert world.cited == {"a-source": {"country": 1, "mineral": 1}, "b": {"country": 1}}


def test_an_epoch_ends_where_something_begins_or_ends() -> None:
    """What is worked out for a day serves every other day of its epoch."""
    world = world_of(
        country("AAA"), mineral("cobalt"), restriction("ban", "AAA", "cobalt", valid_from="2022-03-04", valid_to="2024")
    )
    days = [date(2022, 3, 3), date(2022, 3, 4), date(2024, 12, 30), date(2024, 12, 31)]
    first, second, third, fourth = (world.epoch(day) for day in days)
    assert first < second == third < fourth


def governed(world: World, on: date) -> dict[str, float]:
    weights = world.governance.on(on)
    return {
        code: round(float(weights.weight[place]), 6)
        for code, place in world.country_index.items()
        if weights.governed[place]
    }


def test_governance_is_the_mean_of_the_last_five_years_that_are_over() -> None:
    """g = (2.5 − mean)/5: 0 is best, 1 is worst."""
    rows = [
        row
        for year, estimate in enumerate((2.5, -2.5, 0.0, 0.0, 0.0, 0.0, 0.0), 2017)
        for row in governance("AAA", estimate, year)
    ]
    world = world_of(country("AAA"), rows)
    assert governed(world, date(2017, 12, 30)) == {}
    assert governed(world, date(2017, 12, 31)) == {"AAA": 0.0}
    assert governed(world, date(2018, 12, 31)) == {"AAA": 0.5}
    assert governed(world, date(2019, 12, 31)) == {"AAA": 0.5}
    assert governed(world, date(2022, 6, 30)) == {"AAA": 0.5}
    assert governed(world, date(2022, 12, 31)) == {"AAA": 0.6}
    assert governed(world, DAY) == {"AAA": 0.5}


def test_a_year_without_all_six_indicators_does_not_count() -> None:
    """A mean of fewer would be another measure."""
    whole, part = governance("AAA", -2.5, 2021), governance("AAA", 2.5, 2022)[:5]
    assert governed(world_of(country("AAA"), whole, part), DAY) == {"AAA": 1.0}
    assert governed(world_of(country("AAA"), part), DAY) == {}


def test_releases_are_never_mixed() -> None:
    """The newest speaks alone, also of countries it leaves out."""
    world = world_of(
        source("old", published="2024"),
        source("new", published="2025"),
        [country("AAA"), country("BBB")],
        governance("AAA", -2.5, source="old"),
        governance("BBB", -2.5, source="old"),
        governance("AAA", 2.5, source="new"),
    )
    assert governed(world, DAY) == {"AAA": 0.0}


@pytest.mark.parametrize("kinds", [0, 1, 2])
def test_it_is_built_of_whatever_there_is(kinds: int) -> None:
    """A ledger may hold no shares, no governance, or nothing at all."""
    rows = [[country("AAA"), mineral("cobalt")], [share("cobalt", "AAA", 0.5)]]
    world = world_of(*rows[:kinds])
    assert (world.share_set("cobalt", "processing", DAY) is not None) == (kinds == 2)
    assert governed(world, DAY) == {}
