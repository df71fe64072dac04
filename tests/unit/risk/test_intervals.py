"""Intervals: what they hold, what moves them and what does not. The properties are in `tests/properties`."""

from itertools import chain

import numpy as np
import pytest

from service.risk.intervals import Intervals, intervals, parts
from service.risk.methods.partner_adjusted import MineralScores, score_minerals, score_stages
from service.risk.model import Supplier, batch
from service.risk.numbers import Groups
from service.risk.partners import LADDER, Ladder, RestrictionType, Step, Tier
from service.risk.uncertainty import GRAIN, SHARE_SD, WIDEST_SHARE_SD, Doubt, Sample, sample

SEED = 20260205
FIRM = [Supplier(0.7, 0.56, 156), Supplier(0.3, 0.2, 36)]
SHAKY = [
    Supplier(0.7, 0.56, 156, share_sd=0.2, governance_sd=0.04),
    Supplier(0.3, 0.2, 36, share_sd=0.2, governance_sd=0.03),
]


def scored(*stages: list[Supplier], ladder: Ladder = LADDER, seed: int = SEED) -> tuple[MineralScores, Sample]:
    """One mineral's stages, scored and drawn."""
    suppliers, terms = batch(stages)
    rows = list(chain.from_iterable(stages))
    doubt = Doubt(
        share_sd=np.array([row.share_sd for row in rows]),
        governance_sd=np.array([row.governance_sd for row in rows]),
        stage=np.arange(len(stages)),
    )
    minerals = score_minerals(score_stages(suppliers, terms, ladder), Groups.of_sizes([len(stages)]))
    return minerals, sample(suppliers, doubt, seed)


def ends(found: Intervals) -> tuple[float, float]:
    """The mineral's interval."""
    return float(found.minerals.low[0]), float(found.minerals.high[0])


def interval(*stages: list[Supplier], ladder: Ladder = LADDER, level: float = 0.9) -> tuple[float, float]:
    """The interval of one mineral."""
    return ends(intervals(*scored(*stages, ladder=ladder), level))


def test_what_is_certain_has_an_interval_of_no_width() -> None:
    """Shares that sum to 1, no standard errors, no tie with a low and a high: the score itself, but for the grain."""
    score = float(scored(FIRM)[0].score[0])
    grained = 100 * np.sqrt((score / 100) ** 2 - len(FIRM) * GRAIN)
    low, high = interval(FIRM)
    assert grained <= low <= high == score


def test_a_share_nobody_doubts_leaves_only_governance() -> None:
    """All output in one country, g = .5 ± .05: p05…p95 lie at the normal's ±1.645 standard errors."""
    low, high = interval([Supplier(1.0, 0.5, 156, share_sd=0.3, governance_sd=0.05)])
    assert low == pytest.approx(100 * np.sqrt(0.5 - 1.645 * 0.05), abs=0.05)
    assert high == pytest.approx(100 * np.sqrt(0.5 + 1.645 * 0.05), abs=0.05)


def test_a_wider_level_holds_a_narrower_one() -> None:
    """50 % lies within 90 % lies within 99 %."""
    low, high = zip(*(interval(SHAKY, level=level) for level in (0.99, 0.9, 0.5)), strict=True)
    assert list(low) == sorted(low)
    assert list(high) == sorted(high, reverse=True)
    assert low[0] < low[2] < high[2] < high[0]


def test_the_same_request_gives_the_same_bytes() -> None:
    """Drawn twice with one seed nothing differs; with another seed only the luck of the draw does."""
    once, again = scored(SHAKY), scored(SHAKY)
    assert once[1].known.tobytes() == again[1].known.tobytes()
    assert ends(intervals(*once)) == ends(intervals(*again))
    other = ends(intervals(*scored(SHAKY, seed=1)))
    assert other != ends(intervals(*once))
    assert other == pytest.approx(ends(intervals(*once)), abs=1.0)


def test_a_stage_alone_has_the_interval_it_has_among_others() -> None:
    """What is drawn for a figure does not depend on what else is in the batch, nor on where in it it stands."""
    alone, among = scored(SHAKY), scored(SHAKY, FIRM)
    for end in ("low", "high"):
        assert getattr(intervals(*alone).stages, end)[0] == getattr(intervals(*among).stages, end)[0]


def test_a_tie_with_a_wide_reading_widens_the_interval_by_design_alone() -> None:
    """Firm figures and a binding agreement read from .80 to 1.00: all of the width is the ladder's."""
    minerals, draws = scored([Supplier(1.0, 0.5, 36, tier=Tier.BINDING)])
    whole, apart = ends(intervals(minerals, draws)), parts(minerals, draws)
    score = float(minerals.score[0])
    assert ends(apart.inputs) == pytest.approx((score, score), abs=1e-4)
    assert ends(apart.design) == pytest.approx(whole, abs=1e-4)
    # The triangle's p05 and p95: .80 + √(.05·.25)·.20 and 1 − √(.05·.75)·.20, squared away by the score's root.
    expected = [100 * np.sqrt(0.5 * tau) for tau in (0.80 + np.sqrt(0.05 * 0.25) * 0.2, 1 - np.sqrt(0.05 * 0.75) * 0.2)]
    assert whole == pytest.approx(expected, abs=0.05)


def test_doubt_about_figures_is_no_doubt_about_the_ladder() -> None:
    """Shaky figures without any tie: all of the width is that of the figures."""
    minerals, draws = scored(SHAKY)
    apart = parts(minerals, draws)
    score = float(minerals.score[0])
    assert ends(apart.inputs) == ends(intervals(minerals, draws))
    assert ends(apart.design) == pytest.approx((score, score), abs=1e-4)


def test_the_remainder_reaches_its_worst_case_at_the_upper_end() -> None:
    """70 % at g = .56 and 30 % unnamed: nothing below, a single worst-governed country with no tie above."""
    minerals, draws = scored(FIRM[:1])
    low, high = ends(intervals(minerals, draws))
    assert low == pytest.approx(float(minerals.score[0]), abs=1e-4)
    assert high == pytest.approx(100 * np.sqrt(0.49 * 0.56 + 0.09), abs=1e-4)


def test_a_supplier_of_unknown_governance_reaches_g_of_one() -> None:
    """30 % without a figure, under a memorandum's .98 at the point: 0 below, its whole square above."""
    flat = Ladder(tuple(Step.exactly(step.central) for step in LADDER.steps))
    low, high = interval([FIRM[0], Supplier(0.3, None, 36, tier=Tier.MEMORANDUM)], ladder=flat)
    assert low == pytest.approx(100 * np.sqrt(0.49 * 0.56), abs=1e-4)
    assert high == pytest.approx(100 * np.sqrt(0.49 * 0.56 + 0.09 * 0.98), abs=1e-4)


def test_a_withheld_supplier_that_bans_exports_weighs_on_the_remainder() -> None:
    """It may be the one that holds the remainder, so the ban counts in the worst case."""
    banned = Supplier(None, 0.5, 36, restriction=RestrictionType.BAN)
    assert interval([FIRM[0], banned])[1] == pytest.approx(100 * np.sqrt(0.49 * 0.56 + 0.09 * 1.5), abs=1e-4)


def test_a_stage_left_out_counts_at_the_minerals_upper_end() -> None:
    """A stage known to exist without a figure may be anything: the mineral's interval reaches 100."""
    minerals, draws = scored([], FIRM)
    assert ends(intervals(minerals, draws)) == pytest.approx((float(minerals.score[0]), 100), abs=1e-4)


def test_a_stage_left_out_does_not_lift_the_minerals_lower_end() -> None:
    """What is known of a stage without a score is no part of the point value, nor of the lower end."""
    short = [Supplier(0.45, 1.0, 7, restriction=RestrictionType.BAN)]
    assert interval(SHAKY, short)[0] == interval(SHAKY)[0]


def test_a_mineral_without_stages_takes_none_from_its_neighbour() -> None:
    """As many minerals as stages, and yet none is its only stage: the first has none, the second has both."""
    suppliers, terms = batch([FIRM, SHAKY])
    doubt = Doubt(np.zeros(4), np.zeros(4), np.arange(2))
    minerals = score_minerals(score_stages(suppliers, terms), Groups(np.array([1, 1]), 2))
    found = intervals(minerals, sample(suppliers, doubt, SEED))
    assert not minerals.sufficient[0]
    assert found.minerals.low[1] == found.stages.low.max()
    assert found.minerals.high[1] == found.stages.high.max() > found.minerals.high[0]


def test_a_lopsided_tie_still_leaves_the_score_inside() -> None:
    """A tie whose central value is its lowest, and one whose central value is its highest."""
    rows = [Supplier(1.0, 0.5, 36, tier=Tier.BINDING)]
    for step in (Step(0.8, 0.8, 1.0), Step(1.0, 0.8, 1.0)):
        ladder = LADDER.replace(binding=step)
        low, high = interval(rows, ladder=ladder)
        assert low <= float(scored(rows, ladder=ladder)[0].score[0]) <= high


@pytest.mark.parametrize("share_sd", [0.0, 0.2, WIDEST_SHARE_SD])
def test_withholding_an_ill_known_share_of_the_worst_governed_narrows_nothing(share_sd: float) -> None:
    """40 % at g = 1, known to a factor: the remainder it falls into is known no better than it was."""
    firm = Supplier(0.6, 0.1, 36)
    before = interval([firm, Supplier(0.4, 1.0, 7, share_sd=share_sd)])
    after = interval([firm, Supplier(None, 1.0, 7, share_sd=share_sd)])
    assert after[0] <= before[0] + 1e-4
    assert after[1] >= before[1] - 1e-4


def test_the_sample_must_be_of_what_was_scored() -> None:
    """Draws of other suppliers say nothing about these."""
    with pytest.raises(ValueError, match="that were scored"):
        intervals(scored(FIRM)[0], scored(FIRM)[1])


def test_doubt_must_fit_and_be_a_number() -> None:
    """As many standard errors as suppliers, finite, and no share known worse than to a factor of two."""
    suppliers, _ = batch([FIRM])
    with pytest.raises(ValueError, match="rows and the stages"):
        sample(suppliers, Doubt(np.zeros(1), np.zeros(1), np.zeros(1, dtype=np.int64)), SEED)
    for bad in (float("nan"), WIDEST_SHARE_SD + 0.01, -0.1):
        with pytest.raises(ValueError, match="standard error"):
            Doubt(np.full(2, bad), np.zeros(2), np.zeros(1, dtype=np.int64))


def test_every_quality_of_a_share_is_within_what_can_be_drawn() -> None:
    """The better the source, the smaller the standard error."""
    errors = list(SHARE_SD.values())
    assert errors == sorted(errors)
    assert max(errors) <= WIDEST_SHARE_SD
