"""What studies and statistics print about buyers, found for a day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from service.world.rows import Reliance, Sourcing
from service.world.sourcing import score_sourced
from service.world.studies import printed_as
from service.world.world import World
from tests.evidence import SOURCE, bloc, country, governance, membership, mineral, share, source, world_of

DAY = date(2026, 2, 5)


def sourcing(code: str, part: float | None, year: int = 2024, **more: Any) -> Sourcing:
    fields = {"buyer": "AAA", "mineral": "tin", "stage": "processing", "of": "supply", "country": code, "share": part}
    fields |= {"period_start": year, "period_end": year, "printed": f"{part}", "source": SOURCE}
    return Sourcing(**fields | more)


def reliance(value: float | None, year: int = 2024, **more: Any) -> Reliance:
    fields = {"buyer": "AAA", "mineral": "tin", "stage": "processing", "reliance": value, "printed": f"{value}"}
    return Reliance(**fields | {"period_start": year, "period_end": year, "source": SOURCE} | more)


def world(*more: Any) -> World:
    """Tin of country BBB alone, for the buyer AAA; both are governed at g = 0.5."""
    return world_of(
        [country(code) for code in ("AAA", "BBB", "CCC")],
        [row for code in ("AAA", "BBB", "CCC") for row in governance(code, 0.0)],
        mineral("tin"),
        share("tin", "BBB", 1.0),
        *more,
    )


def test_the_newest_period_that_had_ended_speaks() -> None:
    """Periods of years still running on the day do not."""
    found = world([sourcing("BBB", 1.0, year) for year in (2022, 2025, 2026)], [reliance(0.5, y) for y in (2023, 2026)])
    place = ("AAA", "tin", "processing")
    mix, known = found.studies.mix_of(place, DAY), found.studies.reliance_of(place, DAY)
    assert mix is not None
    assert known is not None
    assert (mix.period, mix.label, known.period_end) == ((2025, 2025), "2025", 2023)
    assert found.studies.mix_of(place, date(2021, 1, 1)) is None


def test_of_two_sources_for_one_year_the_better_precedence_speaks() -> None:
    better = source("better", precedence=1)
    found = world(better, sourcing("BBB", 1.0), sourcing("CCC", 1.0, source="better"))
    mix = found.studies.mix_of(("AAA", "tin", "processing"), DAY)
    assert mix is not None
    assert mix.source.id == "better"


def test_a_reliance_that_is_not_known_does_not_speak() -> None:
    found = world(reliance(0.4, 2023), reliance(None, 2024, qualifier="not_available"))
    known = found.studies.reliance_of(("AAA", "tin", "processing"), DAY)
    assert known is not None
    assert known.reliance == 0.4


def test_a_member_is_read_from_its_group_and_titanium_metal_from_titaniums_ores() -> None:
    minerals = world_of(
        mineral("one"), mineral("group", members=("one",)), mineral("titanium"), mineral("titanium-metal")
    ).minerals
    assert list(printed_as(minerals, "one", "processing")) == ["one", "group"]
    assert list(printed_as(minerals, "titanium-metal", "extraction")) == ["titanium-metal", "titanium"]
    assert list(printed_as(minerals, "titanium-metal", "processing")) == ["titanium-metal"]


def test_own_supply_weighs_by_the_import_reliance() -> None:
    """World: H = 0.5. Own: half BBB, half home, so H = 0.25 · 0.5. IR 0.4: a fifth of the one, four of the other."""
    scored = score_sourced(world(sourcing("BBB", 0.5), sourcing("AAA", 0.5), reliance(0.4)), "AAA", DAY)
    assert scored.scores.stages.h[0] == pytest.approx(0.5 * 0.2 + 0.125 * 0.8)


def test_imports_alone_leave_the_rest_to_home() -> None:
    """All imports from BBB and a reliance of 0.6: 60 % of supply from there, 40 % from home."""
    scored = score_sourced(world(sourcing("BBB", 1.0, of="imports"), reliance(0.6)), "AAA", DAY)
    own = scored.own[0]
    assert own is not None
    assert own.share.tolist() == pytest.approx([0.6, 0.4])
    assert scored.scores.stages.h[0] == pytest.approx(0.5 * 0.3 + 0.36 * 0.5 * 0.7)


def test_imports_of_a_bloc_leave_open_who_supplies_the_rest() -> None:
    """So the world's supply counts alone."""
    more = bloc("BLOC"), membership("BLOC", "AAA"), membership("BLOC", "CCC")
    buys = sourcing("BBB", 1.0, of="imports", buyer="BLOC"), reliance(0.6, buyer="BLOC")
    scored = score_sourced(world(*more, *buys), "BLOC", DAY)
    assert scored.own == (None,)
    assert scored.scores.stages.h[0] == pytest.approx(0.5)


@pytest.mark.parametrize(
    "known",
    [(), (sourcing("BBB", 1.0),), (reliance(0.5),), (sourcing("BBB", 0.4), reliance(0.5))],
    ids=["neither", "mix alone", "reliance alone", "less than half named"],
)
def test_where_too_little_is_known_the_worlds_supply_counts_alone(known: tuple[Any, ...]) -> None:
    scored = score_sourced(world(*known), "AAA", DAY)
    assert scored.supply.part.tolist() == [0.0]
    assert scored.scores.stages.h[0] == pytest.approx(0.5)
