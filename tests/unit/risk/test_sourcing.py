"""The buyer's own supply beside the world's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.risk.intervals import intervals, parts
from service.risk.methods.partner_adjusted import MineralScores, score_minerals, score_stages
from service.risk.model import Supplier, batch
from service.risk.numbers import Groups
from service.risk.sourcing import OwnSupply, own_part, with_own_supply
from service.risk.uncertainty import Doubt, Sample, sample

SD, SEED = 0.1, 7
rows = st.lists(
    st.builds(
        Supplier,
        share=st.floats(0, 0.3) | st.none(),
        governance=st.floats(0, 1) | st.none(),
        country=st.integers(0, 50),
    ),
    min_size=1,
    max_size=3,
)


def doubt(rows: int) -> Doubt:
    return Doubt(share_sd=np.full(rows, SD), governance_sd=np.full(rows, SD / 2), stage=np.array([1]))


def scored(world: list[Supplier], own: list[Supplier], part: float) -> tuple[MineralScores, Sample, OwnSupply]:
    plain, beside = (score_stages(*batch([each])) for each in (world, own))
    drawn = sample(plain.suppliers, doubt(len(plain.factor)), SEED)
    supply = OwnSupply(beside, doubt(len(beside.factor)), SEED, np.array([part]))
    return score_minerals(with_own_supply(plain, supply), Groups.one(1)), drawn, supply


def test_a_buyer_that_imports_nothing_rests_on_its_own_supply() -> None:
    scores, _, own = scored([Supplier(0.9, 1.0)], [Supplier(0.5, 0.5)], float(own_part(0.0)))
    assert scores.stages.h[0] == pytest.approx(own.scores.h[0])


def test_a_buyer_that_imports_everything_rests_half_on_either() -> None:
    scores, _, own = scored([Supplier(0.9, 1.0)], [Supplier(0.5, 0.5)], float(own_part(1.0)))
    assert scores.stages.h[0] == pytest.approx((0.81 + own.scores.h[0]) / 2)


def test_a_negative_reliance_counts_as_none() -> None:
    assert own_part([-0.5, 0.0, 0.5, 1.0]).tolist() == [1.0, 1.0, 0.75, 0.5]
    with pytest.raises(ValueError, match="import reliance"):
        own_part(1.2)


def test_a_part_of_zero_leaves_the_worlds_supply_alone() -> None:
    scores, drawn, own = scored([Supplier(0.9, 0.7)], [Supplier(0.1, 0.1)], 0.0)
    plain = score_minerals(score_stages(*batch([[Supplier(0.9, 0.7)]])), Groups.one(1))
    assert scores.score == pytest.approx(plain.score)
    both, alone = intervals(scores, drawn, own=own), intervals(scores, drawn)
    assert both.minerals.low == pytest.approx(alone.minerals.low)
    assert both.minerals.high == pytest.approx(alone.minerals.high)


@given(rows, rows, st.floats(0.5, 1))
def test_the_interval_holds_the_score_with_both_supplies(
    world: list[Supplier], own: list[Supplier], part: float
) -> None:
    """As with the world's supply alone, and so do the parts of doubt about figures and about the ladder."""
    scores, drawn, supply = scored(world, own, part)
    found = parts(scores, drawn, own=supply)
    for each in (intervals(scores, drawn, own=supply), found.inputs, found.design):
        assert (each.stages.low <= scores.stages.score + 1e-9).all()
        assert (each.stages.high >= scores.stages.score - 1e-9).all()


def test_parts_must_be_fractions_and_one_per_stage() -> None:
    _, _, own = scored([Supplier(0.9, 1.0)], [Supplier(0.5, 0.5)], 0.5)
    with pytest.raises(ValueError, match="part"):
        OwnSupply(own.scores, own.doubt, SEED, np.array([1.5]))
    with pytest.raises(ValueError, match="one per stage"):
        OwnSupply(own.scores, own.doubt, SEED, np.array([0.5, 0.5]))
