"""The sheet of a day, and what of its draws one World takes over from another."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from service.world.rows import Row
from service.world.sheet import Sheet, sheet_on
from tests.evidence import country, governance, mineral, share, world_of

DAY = date(2026, 2, 5)
CODES = ("AAA", "BBB", "CCC", "DDD")
MINERALS = ("cobalt", "tin", "zinc")

FIGURES = st.dictionaries(
    st.tuples(st.sampled_from(MINERALS), st.sampled_from(CODES)), st.sampled_from((None, 0.0, 0.1, 0.2)), max_size=8
)
ESTIMATES = st.dictionaries(st.sampled_from(CODES), st.sampled_from((-1.0, 0.5)), max_size=4)


def laid_out(figures: dict[tuple[str, str], float | None], estimates: dict[str, float]) -> Sheet:
    rows: list[Row] = [*map(country, CODES), *map(mineral, MINERALS)]
    rows += [row for code, estimate in estimates.items() for row in governance(code, estimate)]
    return sheet_on(world_of(rows, [share(name, code, part) for (name, code), part in figures.items()]), DAY)


@given(FIGURES, ESTIMATES, FIGURES, ESTIMATES)
def test_draws_taken_over_are_those_that_would_be_drawn(
    before: dict[tuple[str, str], float | None],
    governed_before: dict[str, float],
    now: dict[tuple[str, str], float | None],
    governed_now: dict[str, float],
) -> None:
    """To the bit, whatever the figures were before: suppliers come, go, change, and lose or gain governance."""
    drawn, taken = laid_out(now, governed_now), laid_out(now, governed_now)
    taken.draw_after(laid_out(before, governed_before))
    for name in ("told", "known", "ungoverned", "unweighted", "remainder"):
        ours, theirs = getattr(taken.sample, name), getattr(drawn.sample, name)
        assert (ours.dtype, ours.shape, ours.tobytes()) == (theirs.dtype, theirs.shape, theirs.tobytes()), name


def test_only_what_changed_is_drawn() -> None:
    """Marked draws of a World before turn up where nothing changed, and nowhere else."""
    figures = {("cobalt", "AAA"): 0.5, ("cobalt", "BBB"): 0.3, ("tin", "CCC"): 0.6, ("tin", "DDD"): 0.1}
    known = {"AAA": 0.1, "BBB": 0.2, "CCC": 0.3}
    before, after = laid_out(figures, known), laid_out(figures | {("cobalt", "BBB"): 0.4}, known)
    before.sample.known[:] = 7.0
    before.sample.unweighted[:] = 8.0
    after.draw_after(before)
    assert np.all(after.sample.known == 7.0, axis=1).tolist() == [True, False, True, True]
    assert np.all(after.sample.unweighted == 8.0)
