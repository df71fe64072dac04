"""What must hold of every score and every interval, whatever the figures."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.risk.concentration import hhi, hhi_bounds
from service.risk.intervals import Ends, intervals
from service.risk.methods.partner_adjusted import MineralScores, band, score_minerals, score_stages
from service.risk.model import StageResult, Supplier, batch
from service.risk.numbers import Groups
from service.risk.partners import LADDER, RestrictionType, Tier
from service.risk.uncertainty import WIDEST_SHARE_SD, Doubt, sample

DRAWS = 64
"""Few draws do: the properties hold by construction, not on average."""

SINGLE_PRECISION = 1e-3
"""What single precision may lose of a score near 0, where the root is steep; elsewhere far less."""

Stage = list[Supplier]

parts = st.floats(0.4, 1)
some_weights = st.integers(0, 5).flatmap(lambda chance: st.floats(0, 1) if chance else st.none())
amounts = st.lists(st.floats(1e-3, 1), min_size=1, max_size=8)
wholes = amounts.map(lambda parts: [part / sum(parts) for part in parts])


@st.composite
def stages(draw: st.DrawFn, named: st.SearchStrategy[float] = parts) -> Stage:
    """A stage whose shares sum to at most 1, some without governance, each with ties, restrictions and doubt."""
    part = draw(named)
    return [
        Supplier(
            share=min(1.0, share * part),
            governance=draw(some_weights),
            country=country,
            tier=draw(st.sampled_from(Tier)),
            restriction=draw(st.sampled_from(RestrictionType)),
            rate=draw(st.none() | st.floats(1, 2)),
            relieved=draw(st.booleans()),
            share_sd=draw(st.floats(0, WIDEST_SHARE_SD)),
            governance_sd=draw(st.floats(0, 0.2)),
        )
        for country, share in enumerate(draw(wholes))
    ]


def result(stage: Stage) -> StageResult:
    """One stage on its own."""
    return score_stages(*batch([stage])).stage(0)


def scored(mineral: list[Stage], keys: list[int] | None = None) -> tuple[MineralScores, Ends]:
    """One mineral and its interval; `keys` name its stages."""
    suppliers, terms = batch(mineral)
    rows = list(chain.from_iterable(mineral))
    doubt = Doubt(
        share_sd=np.array([row.share_sd for row in rows]),
        governance_sd=np.array([row.governance_sd for row in rows]),
        stage=np.array(keys or range(len(mineral)), dtype=np.int64),
    )
    minerals = score_minerals(score_stages(suppliers, terms), Groups.of_sizes([len(mineral)]))
    return minerals, intervals(minerals, sample(suppliers, doubt, seed=7, draws=DRAWS)).minerals


def changed(mineral: list[Stage], data: st.DataObject, **fields: object) -> tuple[list[Stage], Supplier]:
    """The mineral with some fields of one of its suppliers changed, and that supplier as it was."""
    index = data.draw(st.integers(0, len(mineral) - 1))
    row = data.draw(st.integers(0, len(mineral[index]) - 1))
    before = mineral[index][row]
    stage = [*mineral[index][:row], replace(before, **fields), *mineral[index][row + 1 :]]  # type: ignore[arg-type]
    return [*mineral[:index], stage, *mineral[index + 1 :]], before


minerals = st.lists(stages(), min_size=1, max_size=2)


@given(wholes)
def test_concentration_lies_between_equal_suppliers_and_a_single_one(shares: list[float]) -> None:
    """1/n ≤ HHI ≤ 1 for shares of the whole."""
    assert 1 / len(shares) - 1e-12 <= hhi(shares) <= 1 + 1e-12


@given(wholes, st.floats(0, 1))
def test_the_bounds_of_concentration_hold_in_order(shares: list[float], part: float) -> None:
    """Thin ≤ in small hands ≤ in one hand."""
    low, high, tight = hhi_bounds([share * part for share in shares])
    assert low - 1e-12 <= tight <= high + 1e-12


@given(stages(), st.data())
def test_merging_two_suppliers_never_lowers_concentration(stage: Stage, data: st.DataObject) -> None:
    """Two countries become one that is governed and tied as the first of them: HHI does not fall, nor does H if the
    second was governed and tied alike."""
    assume(len(stage) > 1)
    first, second, *others = data.draw(st.permutations(stage))
    assert first.share is not None
    assert second.share is not None
    alike = replace(first, share=second.share, country=second.country)
    merged = replace(first, share=min(1.0, first.share + second.share))
    apart, together = result([first, alike, *others]), result([merged, *others])
    assert (together.concentration.hhi or 0) >= (apart.concentration.hhi or 0) - 1e-12
    assert together.h >= apart.h - 1e-12


@given(minerals, st.data())
def test_order_does_not_matter(mineral: list[Stage], data: st.DataObject) -> None:
    """Suppliers in another order and stages in another order give the same score and the same interval."""
    keys = data.draw(st.permutations(range(len(mineral))))
    shuffled = [data.draw(st.permutations(mineral[key])) for key in keys]
    one, ends = scored(mineral)
    other, other_ends = scored(shuffled, list(keys))
    assert one.mineral(0).status == other.mineral(0).status
    assert one.score[0] == pytest.approx(other.score[0], abs=1e-6)
    assert ends.low[0] == pytest.approx(other_ends.low[0], abs=1e-6)
    assert ends.high[0] == pytest.approx(other_ends.high[0], abs=1e-6)


@given(stages(), st.data())
def test_labels_do_not_matter(stage: Stage, data: st.DataObject) -> None:
    """Which number a country has changes nothing about the score, the coverage or the bounds."""
    numbers = data.draw(st.lists(st.integers(0, 999), min_size=len(stage), max_size=len(stage), unique=True))
    named = [replace(row, country=number) for row, number in zip(stage, numbers, strict=True)]
    one, other = result(stage), result(named)
    assert (one.score, one.h, one.coverage, one.contributions) == (
        other.score,
        other.h,
        other.coverage,
        other.contributions,
    )
    assert one.concentration.top_share == other.concentration.top_share


@given(stages())
def test_contributions_add_up(stage: Stage) -> None:
    """Contributions sum to H, none is negative, and the score is 100·min(1, √H)."""
    found = result(stage)
    assert sum(found.contributions) == pytest.approx(found.h, abs=1e-12)
    assert all(contribution >= 0 for contribution in found.contributions)
    if found.score is not None:
        assert found.score == pytest.approx(100 * min(1, found.h**0.5))
        assert found.band == band(found.score)


@given(stages(named=st.floats(0, 3)))
def test_coverage_sums_to_one(stage: Stage) -> None:
    """Also where the shares of a source sum to more than the whole; what is restricted lies within it."""
    found = result(stage)
    restricted = found.coverage["restricted"]
    assert sum(found.coverage.values()) - restricted == pytest.approx(1, abs=1e-12)
    assert -1e-12 <= restricted <= 1 - found.coverage["unreported"] + 1e-12


@given(minerals, st.data())
def test_a_better_tie_raises_neither_score_nor_interval(mineral: list[Stage], data: st.DataObject) -> None:
    """One supplier moves up the ladder: score, low and high stay or fall."""
    tier = data.draw(st.sampled_from(Tier))
    after, before = changed(mineral, data, tier=tier)
    assume(tier <= before.tier)
    assert_not_higher(after, mineral)


@given(minerals, st.data())
def test_a_lifted_restriction_raises_neither_score_nor_interval(mineral: list[Stage], data: st.DataObject) -> None:
    """A restriction is repealed, or a clause comes to forbid it: score, low and high stay or fall."""
    lifted, _ = changed(mineral, data, restriction=RestrictionType.NONE)
    assert_not_higher(lifted, mineral)
    relieved, _ = changed(mineral, data, relieved=True)
    assert_not_higher(relieved, mineral)


def assert_not_higher(after: list[Stage], before: list[Stage]) -> None:
    """Score and both ends of `after` are at most those of `before`; exactly, for the draws are the same."""
    one, ends = scored(before)
    other, other_ends = scored(after)
    assert other.score[0] <= one.score[0]
    assert other_ends.low[0] <= ends.low[0]
    assert other_ends.high[0] <= ends.high[0]


@given(minerals)
def test_an_interval_holds_its_score(mineral: list[Stage]) -> None:
    """0 ≤ low ≤ score ≤ high ≤ 100, to the last bit."""
    found, ends = scored(mineral)
    if found.sufficient[0]:
        assert 0 <= ends.low[0] <= found.score[0] <= ends.high[0] <= 100


@given(minerals, st.data())
def test_withholding_a_figure_never_narrows_an_interval(mineral: list[Stage], data: st.DataObject) -> None:
    """A share or a governance weight is withheld: the low end stays or falls, the high end stays or rises."""
    withheld, _ = changed(mineral, data, **data.draw(st.sampled_from([{"share": None}, {"governance": None}])))
    assert_not_narrower(withheld, mineral)


@given(minerals, st.data())
def test_a_stage_that_falls_silent_never_narrows_an_interval(mineral: list[Stage], data: st.DataObject) -> None:
    """All of a stage's rows go: what is left of the mineral is no surer than before."""
    index = data.draw(st.integers(0, len(mineral) - 1))
    assert_not_narrower([*mineral[:index], [], *mineral[index + 1 :]], mineral)


@given(stages(), st.data())
def test_a_supplier_no_longer_named_never_narrows_an_interval(stage: Stage, data: st.DataObject) -> None:
    """Its row is gone altogether, of a source that knows all its shares equally well and restrictions aside."""
    plain = [replace(row, restriction=RestrictionType.NONE, share_sd=0.2) for row in stage]
    gone = data.draw(st.integers(0, len(plain) - 1))
    assert_not_narrower([plain[:gone] + plain[gone + 1 :]], [plain])


def assert_not_narrower(after: list[Stage], before: list[Stage]) -> None:
    """The interval of `after`, where there is still a score, holds that of `before`."""
    one, ends = scored(before)
    other, other_ends = scored(after)
    if one.sufficient[0] and other.sufficient[0]:
        assert other_ends.low[0] <= ends.low[0] + SINGLE_PRECISION
        assert other_ends.high[0] >= ends.high[0] - SINGLE_PRECISION


@given(minerals)
def test_a_flat_ladder_gives_the_base_score(mineral: list[Stage]) -> None:
    """With every tie but home at 1.00 a buyer's agreements change nothing."""
    flat = LADDER.replace(**{tier.label: 1.0 for tier in Tier if tier is not Tier.HOME})
    untied = [
        [replace(row, tier=row.tier if row.tier is Tier.HOME else Tier.NONE) for row in stage] for stage in mineral
    ]
    assert score_stages(*batch(mineral), flat).h.tolist() == score_stages(*batch(untied)).h.tolist()
