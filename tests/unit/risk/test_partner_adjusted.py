"""The default score, checked by hand."""

import math

import numpy as np
import pytest

from service.risk.methods.partner_adjusted import band, score_minerals, score_stages
from service.risk.model import MineralResult, StageResult, Supplier, Suppliers, batch
from service.risk.numbers import Groups
from service.risk.partners import LADDER, Ladder, RestrictionType, Tier
from service.risk.terms import Terms

CHINA, CONGO, AUSTRALIA, CHILE = 156, 180, 36, 152


def stage(*rows: Supplier, ladder: Ladder = LADDER) -> StageResult:
    """One stage on its own."""
    return score_stages(*batch([rows]), ladder).stage(0)


def mineral(*stages: list[Supplier]) -> MineralResult:
    """One mineral on its own."""
    return score_minerals(score_stages(*batch(stages)), Groups.of_sizes([len(stages)])).mineral(0)


def test_sixty_means_sixty_per_cent_from_one_worst_governed_stranger() -> None:
    """60 % of output in a country with g = 1 and no tie scores 60."""
    result = stage(Supplier(0.6, 1.0))
    assert result.score == pytest.approx(60)
    assert result.h == pytest.approx(0.36)


def test_one_share_alone_can_be_checked_with_a_pocket_calculator() -> None:
    """92 % in China with g = .558021 (World Bank 2023, release of 2024): 100·√(.92²·g)."""
    assert stage(Supplier(0.92, 0.558021, CHINA)).score == pytest.approx(100 * math.sqrt(0.92**2 * 0.558021), abs=1e-12)


def test_contributions_add_up_and_are_share_squared_times_governance_times_factor() -> None:
    """Three suppliers with a tie, a restriction and neither."""
    result = stage(
        Supplier(0.5, 0.6, CHINA, restriction=RestrictionType.LICENCE),
        Supplier(0.3, 0.2, AUSTRALIA, tier=Tier.BINDING),
        Supplier(0.2, 0.4, CHILE),
    )
    assert result.partner_factors == pytest.approx((1.1, 0.85, 1.0))
    assert result.contributions == pytest.approx((0.25 * 0.6 * 1.1, 0.09 * 0.2 * 0.85, 0.04 * 0.4))
    assert sum(result.contributions) == pytest.approx(result.h)
    assert result.score == pytest.approx(100 * math.sqrt(result.h))


def test_home_supply_carries_no_foreign_risk() -> None:
    """For a buyer that makes all of it itself the score is 0 and its band low."""
    result = stage(Supplier(1.0, 0.6, CHINA, tier=Tier.HOME))
    assert (result.score, result.band) == (0, "low")


def test_a_score_never_passes_one_hundred() -> None:
    """All of it from a worst-governed country that bans exports is 100, not 122."""
    result = stage(Supplier(1.0, 1.0, restriction=RestrictionType.BAN))
    assert result.h == pytest.approx(1.5)
    assert result.score == 100


def test_a_clause_against_restrictions_matters_only_where_there_is_one() -> None:
    """Relief takes a ban's 1.5 away and leaves an unrestricted supplier as it was."""
    banned = Supplier(0.8, 0.5, restriction=RestrictionType.BAN)
    relieved = Supplier(0.8, 0.5, restriction=RestrictionType.BAN, relieved=True)
    assert stage(relieved).h == pytest.approx(stage(banned).h / 1.5)
    assert stage(Supplier(0.8, 0.5, relieved=True)).h == stage(Supplier(0.8, 0.5)).h


@pytest.mark.parametrize(
    ("score", "name"),
    [
        (0, "low"),
        (19.999, "low"),
        (20, "moderate"),
        (31.62, "moderate"),
        (100 * math.sqrt(0.1), "high"),
        (49.999, "high"),
        (50, "severe"),
        (70.71, "severe"),
        (100 * math.sqrt(0.5), "extreme"),
        (100, "extreme"),
    ],
)
def test_bands_begin_on_their_threshold(score: float, name: str) -> None:
    """20, 100·√0.1, 50 and 100·√0.5, on the unrounded score."""
    assert band(score) == name


def test_a_score_off_the_scale_has_no_band() -> None:
    """Neither negative nor above 100 nor NaN."""
    for score in (-1, 101, float("nan")):
        with pytest.raises(ValueError, match="within"):
            band(score)


def test_concentration_stands_beside_the_score() -> None:
    """Bounds, effective suppliers and the largest supplier are those of the shares, whoever governs."""
    found = stage(Supplier(0.10, 0.5, CHILE), Supplier(0.74, 0.5, CONGO), Supplier(0.03, 0.5, CHINA)).concentration
    assert (found.hhi, found.hhi_low) == pytest.approx((0.5585, 0.5585))
    assert (found.hhi_high, found.hhi_tight) == pytest.approx((0.5754, 0.5622))
    assert found.effective_suppliers == pytest.approx(1 / 0.5585)
    assert (found.top, found.top_share) == (1, 0.74)
    assert found.named_share == pytest.approx(0.87)


def test_of_equal_leaders_the_smaller_country_number_stands_first() -> None:
    """Two halves: the order of rows does not decide which is called the largest."""
    found = stage(Supplier(0.5, 0.5, CHINA), Supplier(0.5, 0.5, AUSTRALIA)).concentration
    assert found.top == 1


def test_coverage_splits_all_output_by_tie() -> None:
    """Home, signed agreement, memorandum, none and the unreported rest; what is restricted lies across them."""
    result = stage(
        Supplier(0.1, 0.2, 1, tier=Tier.HOME),
        Supplier(0.2, 0.2, 2, tier=Tier.BINDING_SIGNED),
        Supplier(0.15, 0.2, 3, tier=Tier.MEMORANDUM, restriction=RestrictionType.TAX),
        Supplier(0.25, 0.2, 4, restriction=RestrictionType.LICENCE),
        Supplier(0.05, 0.2, 5, restriction=RestrictionType.LICENCE, relieved=True),
    )
    assert result.coverage == pytest.approx(
        {
            "home": 0.1,
            "single_market": 0,
            "binding": 0.2,
            "programme": 0,
            "memorandum": 0.15,
            "forum": 0,
            "none": 0.3,
            "unreported": 0.25,
            "restricted": 0.4,
        }
    )


def test_shares_beyond_the_whole_are_used_as_printed_and_flagged() -> None:
    """Shares of 1.037: the score squares them as they stand, coverage still sums to 1."""
    result = stage(Supplier(0.6, 0.5, 1, tier=Tier.HOME), Supplier(0.437, 0.5, 2))
    assert result.h == pytest.approx(0.437**2 * 0.5)
    assert result.flags == ("shares_exceed_one",)
    assert result.coverage["home"] == pytest.approx(0.6 / 1.037)
    assert result.coverage["none"] == pytest.approx(0.437 / 1.037)
    assert result.coverage["unreported"] == 0


def test_rounding_to_six_decimals_is_no_flag() -> None:
    """Three shares of .333333 leave .000001, and .333334 are .000002 too many: nothing is missing or doubled."""
    assert stage(*(Supplier(0.333333, 0.5, country) for country in range(3))).flags == ()
    assert stage(*(Supplier(0.3333338, 0.5, country) for country in range(3))).flags == ()


def test_a_supplier_without_governance_adds_nothing_and_is_flagged() -> None:
    """40 % of unknown governance leaves the score to the other 60 %."""
    result = stage(Supplier(0.6, 0.5, 1), Supplier(0.4, None, 2))
    assert result.contributions == pytest.approx((0.18, 0))
    assert result.flags == ("supplier_without_governance",)
    assert result.status == "scored"


def test_half_named_and_governed_is_just_enough() -> None:
    """Below one half there is no score and the reason is given; what is known is shown all the same."""
    assert stage(Supplier(0.5, 0.5)).status == "scored"
    short = stage(Supplier(0.49, 0.5, 1), Supplier(0.5, None, 2))
    assert (short.status, short.score, short.band) == ("insufficient_data", None, None)
    assert short.reasons == ("less_than_half_named_and_governed",)
    assert short.h == pytest.approx(0.49**2 * 0.5)
    assert short.concentration.named_share == pytest.approx(0.99)


def test_no_share_is_no_score_and_no_concentration() -> None:
    """A withheld share is not zero: there is nothing to say but the bounds."""
    for result in (stage(), stage(Supplier(None, 0.5))):
        assert result.reasons == ("no_shares",)
        assert result.score is None
        found = result.concentration
        assert (found.hhi, found.effective_suppliers, found.top, found.top_share) == (None, None, None, None)
        assert (found.hhi_low, found.hhi_high) == (0, 1)
        assert result.coverage["unreported"] == 1
    assert "share_withheld" in stage(Supplier(None, 0.5)).flags


def test_the_highest_stage_binds() -> None:
    """Processing at 80 % beats extraction at 60 %."""
    result = mineral([Supplier(0.6, 1.0)], [Supplier(0.8, 1.0)])
    assert result.score == pytest.approx(80)
    assert result.binding_stage == 1
    assert (result.status, result.band, result.flags) == ("scored", "extreme", ())


def test_of_equal_stages_the_first_binds() -> None:
    """A tie is settled by the order of the stages."""
    assert mineral([Supplier(0.6, 1.0)], [Supplier(0.6, 1.0)]).binding_stage == 0


def test_a_stage_without_a_score_leaves_the_mineral_understated() -> None:
    """The stage left out may be the one that binds, and the flag says so."""
    result = mineral([], [Supplier(0.8, 1.0)])
    assert result.score == pytest.approx(80)
    assert (result.binding_stage, result.flags) == (1, ("understated",))


def test_a_mineral_without_a_scored_stage_gives_its_reasons() -> None:
    """No score, no band, no binding stage, no flag of being understated: only why."""
    result = mineral([], [Supplier(0.3, 1.0)])
    assert result == MineralResult(
        status="insufficient_data",
        reasons=("no_shares", "less_than_half_named_and_governed"),
        flags=(),
        score=None,
        band=None,
        binding_stage=None,
    )
    assert mineral().reasons == ("no_shares",)


def test_a_batch_answers_as_each_stage_alone() -> None:
    """Many minerals in one call, some stages empty: the very numbers of one call each."""
    stages = [
        [Supplier(0.6, 0.5, 1), Supplier(0.3, 0.4, 2, tier=Tier.FORUM)],
        [],
        [Supplier(0.9, None, 3)],
        [Supplier(0.7, 0.3, 4, restriction=RestrictionType.QUOTA), Supplier(None, 0.3, 5)],
    ]
    many = score_stages(*batch(stages))
    assert [many.stage(index) for index in range(4)] == [stage(*rows) for rows in stages]
    minerals = score_minerals(many, Groups.of_sizes([2, 2, 0]))
    alone = [mineral(*stages[:2]), mineral(*stages[2:]), mineral()]
    for index, expected in enumerate(alone):
        found = minerals.mineral(index)
        assert (found.score, found.flags, found.reasons) == (expected.score, expected.flags, expected.reasons)


def test_the_eus_factors_in_place_of_the_ladder_give_the_eus_core() -> None:
    """0.8 for a member, 1.2 for a restricted country, 1 else: H/10 of the EU equation, on the scale of the score."""
    result = stage(
        Supplier(0.2, 0.3, 1, tier=Tier.HOME),
        Supplier(0.5, 0.57, 2, restriction=RestrictionType.TAX, rate=1.2),
        Supplier(0.3, 0.4, 3, tier=Tier.BINDING),
        ladder=LADDER.replace(home=0.8, binding=1.0),
    )
    core = 0.2**2 * 3 * 0.8 + 0.5**2 * 5.7 * 1.2 + 0.3**2 * 4
    assert result.score == pytest.approx(100 * math.sqrt(core / 10))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.1, 1.1])
def test_numbers_that_are_none_are_refused(bad: float) -> None:
    """Shares and governance weights must be finite and within 0..1."""
    with pytest.raises(ValueError, match="share must"):
        stage(Supplier(bad, 0.5))
    with pytest.raises(ValueError, match="governance must"):
        stage(Supplier(0.5, bad))


def test_rows_that_do_not_fit_together_are_refused() -> None:
    """Terms of other rows, stages out of order, columns of unequal length, minerals of other stages."""
    suppliers, terms = batch([[Supplier(0.5, 0.5)], [Supplier(0.6, 0.5)]])
    with pytest.raises(ValueError, match="same rows"):
        score_stages(suppliers, Terms.none(3))
    columns = {name: getattr(suppliers, name) for name in ("share", "known", "governance", "governed", "country")}
    with pytest.raises(ValueError, match="stage after stage"):
        Suppliers(stages=Groups(np.array([1, 0]), 2), **columns)
    with pytest.raises(ValueError, match="equally long"):
        Suppliers(stages=Groups.one(1), **columns)
    with pytest.raises(ValueError, match="one entry per stage"):
        score_minerals(score_stages(suppliers, terms), Groups.one(3))
    with pytest.raises(ValueError, match=r"within 0\.\.1"):
        Groups(np.array([0, 2]), 2)
