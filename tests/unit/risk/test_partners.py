"""The ladder of ties and restrictions, and the partner factor."""

from itertools import pairwise, product
from typing import get_args

import pytest

from service.risk.partners import (
    BUCKET_OF_TIER,
    BUCKETS,
    LADDER,
    STEPS,
    AgreementStatus,
    AgreementType,
    Binding,
    Ladder,
    RestrictionType,
    Step,
    Tier,
    partner_factor,
    tier_of,
)
from service.risk.terms import Kind, Terms


def test_the_ladder_is_the_published_one() -> None:
    """Central, low and high of each tie, and of each restriction, as `partner-adjusted` version 1 states them."""
    steps = zip(STEPS, LADDER.steps, strict=True)
    printed = {name: (step.central, step.low, step.high) for name, step in steps}
    assert printed == {
        "home": (0.00, 0.00, 0.00),
        "single_market": (0.80, 0.80, 0.80),
        "binding": (0.85, 0.80, 1.00),
        "binding_signed": (0.95, 0.85, 1.00),
        "programme": (0.97, 0.90, 1.00),
        "memorandum": (0.98, 0.95, 1.00),
        "forum": (0.99, 0.97, 1.00),
        "none": (1.00, 1.00, 1.00),
        "licence": (1.1, 1.1, 1.1),
        "tax": (1.2, 1.1, 1.3),
        "quota": (1.3, 1.3, 1.3),
        "ban": (1.5, 1.5, 1.5),
    }


def test_a_stronger_tie_is_nowhere_weaker() -> None:
    """Down the ladder low, central and high never fall, so no draw can turn two ties round."""
    steps = [LADDER.tau(tier) for tier in Tier]
    for better, worse in pairwise(steps):
        assert better.low <= worse.low
        assert better.central <= worse.central
        assert better.high <= worse.high


def test_every_tier_and_restriction_says_what_it_holds() -> None:
    """Each has a label for the outside and a description in words."""
    assert [tier.label for tier in Tier] == list(STEPS[: len(Tier)])
    assert all(each.description for each in (*Tier, *RestrictionType))


@pytest.mark.parametrize(
    ("agreement", "binding", "status", "tier"),
    [
        ("trade_agreement", "yes", "in_force", Tier.BINDING),
        ("executive_agreement", "yes", "signed", Tier.BINDING_SIGNED),
        ("memorandum", "yes", "in_force", Tier.BINDING),
        ("trade_agreement", "no", "in_force", Tier.PROGRAMME),
        ("executive_agreement", "not_stated", "signed", Tier.PROGRAMME),
        ("framework", "no", "signed", Tier.PROGRAMME),
        ("action_plan", "not_stated", "signed", Tier.PROGRAMME),
        ("strategic_partnership", "no", "in_force", Tier.PROGRAMME),
        ("memorandum", "no", "signed", Tier.MEMORANDUM),
        ("letter_of_intent", "not_stated", "in_force", Tier.MEMORANDUM),
        ("joint_statement", "no", "signed", Tier.FORUM),
        ("forum", "not_stated", "in_force", Tier.FORUM),
        ("relief", "yes", "in_force", Tier.NONE),
        ("trade_agreement", "yes", "pending", Tier.NONE),
        ("trade_agreement", "yes", "suspended", Tier.NONE),
        ("memorandum", "no", "ended", Tier.NONE),
    ],
)
def test_an_agreement_has_the_tier_of_its_kind_and_standing(
    agreement: AgreementType, binding: Binding, status: AgreementStatus, tier: Tier
) -> None:
    """Type, bindingness and status decide; nothing else does."""
    assert tier_of(agreement, binding, status) is tier


def test_bindingness_not_stated_is_read_as_not_binding() -> None:
    """What a text leaves open takes the weaker tier, whatever its type and standing."""
    for agreement, status in product(get_args(AgreementType), get_args(AgreementStatus)):
        assert tier_of(agreement, "not_stated", status) is tier_of(agreement, "no", status)


def test_the_partner_factor_lets_a_clause_cancel_a_restriction() -> None:
    """τ .85 under a ban of 1.5 is 1.275, and .85 where a binding clause forbids the ban."""
    assert partner_factor(0.85, 1.5) == pytest.approx(1.275)
    assert partner_factor(0.85, 1.5, rho=1) == pytest.approx(0.85)
    assert partner_factor(0.0, 1.5) == 0


@pytest.mark.parametrize(("tau", "r", "rho"), [(1.1, 1, 0), (0.9, 0.9, 0), (0.9, 1.1, 2), (float("nan"), 1, 0)])
def test_a_factor_outside_its_range_is_refused(tau: float, r: float, rho: float) -> None:
    """τ stays within 0..1, r at 1 or above, ρ within 0..1, and all are numbers."""
    with pytest.raises(ValueError, match="must"):
        partner_factor(tau, r, rho)


def test_an_override_is_another_ladder() -> None:
    """A bare number is certain; the ladder it came from stays as it was."""
    flat = LADDER.replace(memorandum=1.0, forum=Step(0.98, 0.96, 1.0))
    assert flat.tau(Tier.MEMORANDUM) == Step(1.0, 1.0, 1.0)
    assert flat.tau(Tier.FORUM) == Step(0.98, 0.96, 1.0)
    assert LADDER.tau(Tier.MEMORANDUM) == Step(0.98, 0.95, 1.0)
    assert LADDER.replace() == LADDER == Ladder()


@pytest.mark.parametrize(
    "values",
    [
        {"memorandum": 1.2},
        {"memorandum": -0.1},
        {"licence": 0.9},
        {"ban": 4.0},
        {"binding": float("nan")},
        {"embassy": 0.5},
    ],
)
def test_an_override_off_the_scale_is_refused(values: dict[str, float]) -> None:
    """A tie above 1 or below 0, a restriction below 1 or beyond reason, NaN, and a step nobody knows."""
    with pytest.raises(ValueError, match=r"must|no step"):
        LADDER.replace(**values)


def test_a_step_out_of_order_is_refused() -> None:
    """Low, central and high must stand in that order."""
    with pytest.raises(ValueError, match="low ≤ central ≤ high"):
        Step(0.9, 0.95, 1.0)


def test_the_best_tie_is_the_one_that_counts_under_the_ladder_at_hand() -> None:
    """An override may turn which of two ties is better; of equals the one higher on the ladder is."""
    assert LADDER.by_worth == tuple(Tier)
    turned = LADDER.replace(forum=0.5, memorandum=0.97).by_worth
    assert turned.index(Tier.FORUM) < turned.index(Tier.BINDING)
    assert turned.index(Tier.PROGRAMME) + 1 == turned.index(Tier.MEMORANDUM)


def test_a_rate_of_the_source_takes_the_place_of_the_ladder() -> None:
    """A taxed export at 1.15 counts 1.15, certain; without a rate the ladder's tax counts."""
    assert LADDER.r(RestrictionType.TAX, rate=1.15) == Step(1.15, 1.15, 1.15)
    assert LADDER.r(RestrictionType.TAX) == Step(1.2, 1.1, 1.3)
    assert LADDER.r(RestrictionType.NONE) == Step(1.0, 1.0, 1.0)


def _terms(tier: Tier, restriction: RestrictionType, rate: float | None, relieved: bool) -> Terms:
    return Terms.of([Kind(tier, restriction, rate, relieved)])


@pytest.mark.parametrize("rate", [None, 1.15])
@pytest.mark.parametrize("relieved", [False, True])
@pytest.mark.parametrize("restriction", list(RestrictionType))
@pytest.mark.parametrize("tier", list(Tier))
def test_many_rows_follow_the_same_formula(
    tier: Tier, restriction: RestrictionType, rate: float | None, relieved: bool
) -> None:
    """The factors of a column of rows are those of the formula, row by row."""
    r = LADDER.r(restriction, None if restriction is RestrictionType.NONE else rate).central
    expected = partner_factor(LADDER.tau(tier).central, r, float(relieved))
    assert _terms(tier, restriction, rate, relieved).factors()[0] == pytest.approx(expected)


def test_no_terms_leave_the_factor_at_one() -> None:
    """Without a tie or a restriction every factor is 1."""
    assert Terms.none(3).factors().tolist() == [1, 1, 1]
    assert not any(Terms.none(3).at(row).restricted for row in range(3))


def test_only_the_steps_there_are_ties_for_count() -> None:
    """A tie, a restriction the ladder rates; not one the source rates, nor one that a clause forbids."""
    several = Terms.of(
        [
            Kind(),
            Kind(Tier.FORUM, RestrictionType.BAN),
            Kind(restriction=RestrictionType.TAX, rate=1.15),
            Kind(restriction=RestrictionType.QUOTA, relieved=True),
        ]
    )
    assert {STEPS[place] for place in several.steps} == {"none", "forum", "ban"}


def test_a_ladder_reduced_to_the_steps_that_count_gives_the_same_factors() -> None:
    """Where nothing that was set counts it is the method's own, where all of it does it is itself."""
    terms = _terms(Tier.FORUM, RestrictionType.BAN, None, relieved=False)
    set_here, set_elsewhere = LADDER.replace(forum=0.5, ban=2.0), LADDER.replace(memorandum=0.5, tax=1.0)
    assert set_here.on(terms.steps) is set_here
    assert set_elsewhere.on(terms.steps) is LADDER
    mixed = LADDER.replace(forum=0.5, memorandum=0.5)
    assert mixed.on(terms.steps) == LADDER.replace(forum=0.5)
    assert terms.factors(mixed.on(terms.steps)).tolist() == terms.factors(mixed).tolist()


def test_a_rate_off_the_ladder_is_refused() -> None:
    """A restriction that makes a supplier safer, and one stronger than any that is accepted."""
    for rate in (0.5, 3.5):
        with pytest.raises(ValueError, match="rate must"):
            _terms(Tier.NONE, RestrictionType.TAX, rate, relieved=False)


def test_rows_share_kinds_of_terms() -> None:
    """Which rows have which is told apart, and some of the rows have no more kinds than they need."""
    rows = [Kind(), Kind(Tier.FORUM), Kind(), Kind(Tier.MEMORANDUM)]
    terms = Terms.of(rows)
    assert [terms.at(row) for row in range(4)] == rows
    assert len(terms.present) == 3
    some = terms.only(slice(1, 3))
    assert [some.at(row) for row in range(2)] == rows[1:3]
    assert set(some.present) == {Kind(), Kind(Tier.FORUM)}
    assert some.marks.sum(axis=0).tolist() == [1, 1]
    assert [some.present[place] for place in some.marks.argmax(axis=0)] == rows[1:3]


def test_signed_and_binding_agreements_share_a_bucket() -> None:
    """Every tier has a bucket of `partner_coverage`; both kinds of binding agreement stand in one."""
    names = dict(zip(Tier, BUCKET_OF_TIER, strict=True))
    assert names[Tier.BINDING] == names[Tier.BINDING_SIGNED] == "binding"
    assert all(names[tier] == tier.label for tier in Tier if tier is not Tier.BINDING_SIGNED)
    assert BUCKETS[-1] == "unreported"
