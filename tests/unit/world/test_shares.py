"""Share sets, and which of them speaks for a stage on a day."""

from __future__ import annotations

import gc
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.world.shares import FULL, Columns, ShareSet, choose, columns_kept
from tests.evidence import country, mineral, share, source, world_of

DAY = date(2026, 2, 5)


def a_set(name: str, year: int | None, named: float, precedence: int = 100, published: str | None = None) -> ShareSet:
    nothing = np.zeros(0)
    return ShareSet(
        source=source(name, precedence=precedence, published=published),
        mineral="cobalt",
        stage="processing",
        period=None if year is None else (year, year),
        held=Columns((), nothing.astype(np.int64), nothing, nothing.astype(np.bool_), named),
        country_index={},
    )


SETS = st.lists(
    st.builds(
        a_set,
        st.sampled_from(["a", "b", "c"]),
        st.none() | st.integers(2018, 2028),
        st.sampled_from([0.1, 0.44, 0.79, 0.8, 0.93, 1.0, 1.01]),
        st.integers(1, 3),
    ),
    max_size=6,
)


@given(SETS, st.dates(date(2017, 1, 1), date(2030, 12, 31)))
def test_the_newest_full_set_speaks_else_the_one_that_names_most(sets: list[ShareSet], on: date) -> None:
    """Among sets whose period had ended: newest first where at least 80 % is named; ties by the source's precedence."""
    found = date(2020, 1, 1)  # the day their sources were retrieved
    speaking = [s for s in sets if (date(s.period[1], 12, 31) if s.period else found) <= on]
    chosen = choose(sets, on)
    if not speaking:
        assert chosen is None
        return
    assert chosen in speaking
    full = [s for s in speaking if s.named >= FULL]
    for other in full or speaking:
        if full:
            assert chosen.named >= FULL
            ours, theirs = chosen.reference_year or 0, other.reference_year or 0
            assert ours >= theirs
        else:
            ours, theirs = chosen.named, other.named
            assert ours >= theirs
        if ours == theirs and (chosen.reference_year or 0) == (other.reference_year or 0):
            assert chosen.source.precedence <= other.source.precedence


@given(SETS.flatmap(lambda sets: st.tuples(st.just(sets), st.permutations(sets))), st.dates(date(2017, 1, 1)))
def test_the_choice_does_not_depend_on_the_order(orders: tuple[list[ShareSet], list[ShareSet]], on: date) -> None:
    """Two sets of one source and period cannot both be in the ledger."""
    ordered, shuffled = ([*{(s.source.id, s.period): s for s in sets}.values()] for sets in orders)
    if {id(s) for s in ordered} == {id(s) for s in shuffled}:
        assert choose(ordered, on) is choose(shuffled, on)


@given(SETS, st.dates(date(2017, 1, 1), date(2030, 12, 30)))
def test_nothing_speaks_before_its_period_has_ended(sets: list[ShareSet], on: date) -> None:
    chosen = choose(sets, on)
    assert chosen is None or chosen.period is None or date(chosen.period[1], 12, 31) <= on


def test_a_year_speaks_from_its_last_day() -> None:
    of_2025 = a_set("a", 2025, 1.0)
    assert choose([of_2025], date(2025, 12, 30)) is None
    assert choose([of_2025], date(2025, 12, 31)) is of_2025


def test_a_set_without_a_year_speaks_once_its_source_had_appeared() -> None:
    """It is not known what it describes, but not before it was written."""
    undated = a_set("a", None, 1.0, published="2024-05-01")
    assert choose([undated], date(2024, 4, 30)) is None
    assert choose([undated], date(2024, 5, 1)) is undated


def test_a_single_claim_gives_way_to_a_full_set_of_an_older_year() -> None:
    claim, full = a_set("claim", 2025, 0.65), a_set("study", 2020, 0.98)
    assert choose([claim, full], DAY) is full


def test_without_a_full_set_the_one_that_names_most_speaks() -> None:
    newer, fuller = a_set("a", 2025, 0.5), a_set("b", 2020, 0.7)
    assert choose([newer, fuller], DAY) is fuller


@pytest.mark.parametrize(("named", "chosen"), [(0.8, "newer"), (0.799999, "older")])
def test_four_fifths_is_full(named: float, chosen: str) -> None:
    sets = [a_set("newer", 2025, named), a_set("older", 2020, 1.0)]
    found = choose(sets, DAY)
    assert found is not None
    assert found.source.id == chosen


def test_sets_are_used_whole_and_never_mixed() -> None:
    """One source and period each; what a source withholds is a supplier without a share."""
    world = world_of(
        source("b"),
        [country("AAA"), country("BBB"), country("CCC")],
        mineral("cobalt"),
        [
            share("cobalt", "AAA", 0.6),
            share("cobalt", "BBB", 0.3),
            share("cobalt", "CCC", None, qualifier="withheld"),
            share("cobalt", "AAA", 0.9, source="b"),
            share("cobalt", "AAA", 0.7, period_start=2016, period_end=2020),
        ],
    )
    found = world.share_sets["cobalt", "processing"]
    pictures = {
        (s.source.id, s.label): ([row.country for row in s.rows], s.known.tolist(), round(s.named, 6)) for s in found
    }
    assert pictures == {
        ("a-source", "2016-2020"): (["AAA"], [True], 0.7),
        ("a-source", "2024"): (["AAA", "BBB", "CCC"], [True, True, False], 0.9),
        ("b", "2024"): (["AAA"], [True], 0.9),
    }


def packed_sets(count: int) -> list[ShareSet]:
    """Sets as a World of the ledger has them, packed."""
    rows = [share("tin", "CHL", 0.5, period_start=year, period_end=year) for year in range(2000, 2000 + count)]
    world = world_of(mineral("tin"), country("CHL"), rows)
    return [each for found in world.share_sets.values() for each in found]


def test_what_was_unpacked_of_a_set_goes_with_the_set() -> None:
    """Worlds that were replaced leave nothing behind of what a correction replaced."""
    gc.collect()
    before = len(columns_kept)
    sets = packed_sets(5)
    assert all(each.columns is each.columns for each in sets)
    assert len(columns_kept) == before + 5
    del sets
    gc.collect()
    assert len(columns_kept) <= before


def test_of_living_sets_no_more_than_a_bound_are_kept_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for another one finds it all the same."""
    monkeypatch.setattr("service.world.shares.LAID_OUT", 3)
    columns_kept.clear()
    sets = packed_sets(7)
    assert [each.named for each in sets] == [0.5] * 7
    assert len(columns_kept) == 3
