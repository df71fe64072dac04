"""Levers: every slope and every turning point against the scores of the core itself."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from service.risk.levers import Curve, Lever, Others, levers
from service.risk.methods.partner_adjusted import BANDS, MineralScores, band, score_minerals, score_stages
from service.risk.model import Supplier, batch
from service.risk.numbers import Groups
from service.risk.partners import LADDER, RestrictionType, Tier

Stage = list[Supplier]

CHINA, CHILE, CONGO, USA = 156, 152, 180, 840
LEADER = [Supplier(0.6, 0.5, CHINA), Supplier(0.3, 0.4, CHILE), Supplier(0.1, 0.8, CONGO)]
"""H = .18 + .036 + .008 = .224, score 47.3: high."""
SMALLER = [Supplier(0.3, 0.8, CONGO), Supplier(0.4, 0.4, CHILE), Supplier(0.3, 0.3, USA)]
"""H = .072 + .064 + .027 = .163, score 40.4."""


def scored(mineral: list[Stage]) -> MineralScores:
    """One mineral on its own."""
    return score_minerals(score_stages(*batch(mineral)), Groups.of_sizes([len(mineral)]))


def score(mineral: list[Stage]) -> float:
    """One mineral's score."""
    return float(scored(mineral).score[0])


def lever(mineral: list[Stage], figure: str, country: int, stage: int | None = 0, others: Others = "held") -> Lever:
    """The lever of one figure."""
    found = [e for e in levers(scored(mineral), others) if (e.figure, e.country, e.stage) == (figure, country, stage)]
    assert len(found) == 1
    return found[0]


def with_share(stage: Stage, country: int, share: float, others: Others) -> Stage:
    """A stage in which one country has another share, and the others as `others` has it."""
    before = next(row.share or 0.0 for row in stage if row.country == country)
    kept = (1 - share) / (1 - before) if others == "proportional" else 1.0
    return [replace(row, share=share if row.country == country else (row.share or 0.0) * kept) for row in stage]


def moved(mineral: list[Stage], lever: Lever, value: float, others: Others = "held") -> list[Stage]:
    """The mineral with the lever's figure at another value."""
    if lever.figure == "governance":
        return [
            [replace(row, governance=value) if row.country == lever.country else row for row in stage]
            for stage in mineral
        ]
    assert lever.stage is not None
    stage = mineral[lever.stage]
    if lever.figure == "share":
        changed = with_share(stage, lever.country, value, others)
    else:  # factor and governance multiply: what moves one row's governance in proportion moves its factor
        times = value / lever.value
        changed = [
            replace(row, governance=(row.governance or 0.0) * times) if row.country == lever.country else row
            for row in stage
        ]
    return [*mineral[: lever.stage], changed, *mineral[lever.stage + 1 :]]


def test_a_share_by_hand() -> None:
    """H = .224; ∂/∂s of 100·√H is 100·s·g·t/√H = 100·.6·.5/√.224 points per unit of China's share."""
    assert lever([LEADER], "share", CHINA).slope == pytest.approx(100 * 0.3 / math.sqrt(0.224))


def test_governance_and_partner_factor_by_hand() -> None:
    """50·s²·t/√H = 50·.36/√.224 and 50·s²·g/√H = 50·.18/√.224."""
    assert lever([LEADER], "governance", CHINA, None).slope == pytest.approx(50 * 0.36 / math.sqrt(0.224))
    assert lever([LEADER], "partner_factor", CHINA).slope == pytest.approx(50 * 0.18 / math.sqrt(0.224))


def test_a_share_that_others_give_way_to_by_hand() -> None:
    """The others' .044 shrinks as (1 − s)²: H′ = 2·.3 − 2·.044/.4 = .38."""
    found = lever([LEADER], "share", CHINA, others="proportional")
    assert found.slope == pytest.approx(50 * 0.38 / math.sqrt(0.224))


def test_the_share_at_which_the_band_changes_by_hand() -> None:
    """Severe from H = .25: s = √((.25 − .044)/.5); moderate below H = .1: s = √((.1 − .044)/.5)."""
    found = lever([LEADER], "share", CHINA)
    assert found.up is not None
    assert (found.up.at, found.up.band) == (pytest.approx(math.sqrt(0.412)), "severe")
    found = lever([[Supplier(0.6, 0.5, CHINA), Supplier(0.4, 0.1, CHILE)]], "share", CHINA)
    assert found.down is not None
    assert (found.down.at, found.down.band) == (pytest.approx(math.sqrt((0.1 - 0.016) / 0.5)), "moderate")


def test_a_turn_out_of_reach_is_none() -> None:
    """A well-governed tenth of output lifts no score from high to severe, whatever its governance; nor does it lower
    the band by vanishing."""
    found = lever([LEADER], "governance", CONGO, None)
    assert (found.up, found.down) == (None, None)
    assert lever([LEADER], "share", CONGO).down is None


def test_a_share_below_which_there_is_no_score_is_out_of_reach() -> None:
    """The score would be moderate below 47 % of China's, √(.1/.45), but with half of output unnamed there is none."""
    mineral = [[Supplier(0.6, 0.45, CHINA)]]
    assert lever(mineral, "share", CHINA).low == pytest.approx(0.5, abs=1e-6)
    assert lever(mineral, "share", CHINA).down is None


def test_a_stage_that_does_not_bind_has_no_effect_until_it_does() -> None:
    """The second stage's score is the lower: no slope of the mineral's score, one of its own, and the share at which
    it takes over: √((.224 − .163 + .09·.8)/.8)."""
    mineral = [LEADER, SMALLER]
    found = lever(mineral, "share", CONGO, 1)
    assert (found.slope, found.acts_on_binding) == (0.0, False)
    assert found.slope_of(1) == pytest.approx(100 * 0.24 / math.sqrt(0.163))
    assert found.binds_at == pytest.approx(math.sqrt((0.224 - 0.163 + 0.072) / 0.8))
    assert scored(moved(mineral, found, found.binds_at + 1e-6)).binding_stage[0] == 1
    assert scored(moved(mineral, found, found.binds_at - 1e-6)).binding_stage[0] == 0


def test_governance_acts_on_every_stage_of_its_country() -> None:
    """The Congo's worst governance would make the stage bind in which it has the larger share."""
    mineral = [LEADER, SMALLER]
    found = lever(mineral, "governance", CONGO, None)
    assert found.acts_on_binding
    assert found.slope == pytest.approx(50 * 0.01 / math.sqrt(0.224))
    lighter = [[Supplier(0.5, 0.5, CHINA), Supplier(0.5, 0.2, CHILE)], SMALLER]
    found = lever(lighter, "governance", CONGO, None)
    assert not found.acts_on_binding
    assert found.binds_at is not None
    assert scored(moved(lighter, found, found.binds_at + 1e-6)).binding_stage[0] == 1


def test_what_adds_nothing_to_the_score_is_no_lever() -> None:
    """A supplier without a governance figure, one whose share is withheld, and a stage without a score."""
    mineral = [
        [Supplier(0.7, 0.5, CHINA), Supplier(0.2, None, CHILE), Supplier(None, 0.3, USA)],
        [Supplier(0.3, 0.5, CONGO)],
    ]
    assert {each.country for each in levers(scored(mineral))} == {CHINA}


def test_at_home_alone_nothing_has_a_slope_but_what_changes_nothing() -> None:
    """All output at home: H = 0 whatever the share. With a factor above 0 the root would rise infinitely steeply."""
    mineral = [[Supplier(1.0, 0.5, USA, tier=Tier.HOME)]]
    assert lever(mineral, "share", USA).slope == 0.0
    assert lever(mineral, "governance", USA, None).slope == 0.0
    found = lever(mineral, "partner_factor", USA)
    assert found.slope is None
    assert found.up is not None
    assert found.up.at == pytest.approx(0.04 / 0.5)


def test_a_score_at_its_top_is_flat() -> None:
    """H above 1: nothing moves the score by a little."""
    mineral = [[Supplier(1.0, 0.9, CHINA, restriction=RestrictionType.BAN)]]
    assert score(mineral) == 100
    assert lever(mineral, "governance", CHINA, None).slope == 0.0
    assert lever(mineral, "governance", CHINA, None).down is not None


def test_a_single_supplier_has_nobody_to_give_way_to() -> None:
    """With the whole output in one hand there is no proportion in which others could take over."""
    found = lever([[Supplier(1.0, 0.3, CHINA)]], "share", CHINA, others="proportional")
    assert (found.slope, found.up, found.down) == (0.0, None, None)


@pytest.mark.parametrize("mineral", [[[]], [LEADER, [Supplier(0.2, 0.5, CHINA)]] * 2])
def test_levers_are_of_one_mineral_that_has_a_score(mineral: list[Stage]) -> None:
    """Nothing moves a score that is not there."""
    suppliers, terms = batch(mineral)
    stages = score_stages(suppliers, terms)
    several = score_minerals(stages, Groups.of_sizes([1] * len(mineral)))
    with pytest.raises(ValueError, match="one mineral that has a score"):
        levers(several)


@pytest.mark.parametrize(
    ("curve", "h", "roots"),
    [
        (Curve(1, 0, 0), 0.25, [-0.5, 0.5]),
        (Curve(1, -2, 1), 0.25, [0.5, 1.5]),
        (Curve(0, 2, 1), 2, [0.5]),
        (Curve(0, 0, 1), 1, []),
        (Curve(1, 0, 0), 0, []),
        (Curve(1, 0, 1), 0.5, []),
        (Curve(1e-20, 1, 0), 0.5, [-1e20, 0.5]),
    ],
)
def test_where_a_curve_crosses_a_value(curve: Curve, h: float, roots: list[float]) -> None:
    """Touching is not crossing, and a vanishing square leaves the straight line's root."""
    assert curve.reaches(h) == pytest.approx(roots)


@st.composite
def minerals(draw: st.DrawFn) -> list[Stage]:
    """One or two stages of up to five countries, each with most of its output named and governed."""
    governance = draw(st.lists(st.floats(0.05, 0.95), min_size=5, max_size=5))
    return [draw(_stages(governance)) for _ in range(draw(st.integers(1, 2)))]


@st.composite
def _stages(draw: st.DrawFn, governance: list[float]) -> Stage:
    parts = draw(st.lists(st.floats(0.05, 1), min_size=2, max_size=len(governance)))
    named = draw(st.floats(0.7, 0.99))
    return [
        Supplier(
            share=part / sum(parts) * named,
            governance=governance[country],
            country=country,
            tier=draw(st.sampled_from([tier for tier in Tier if tier is not Tier.HOME])),
            restriction=draw(st.sampled_from(RestrictionType)),
        )
        for country, part in enumerate(parts)
    ]


def assert_alike(found: float | None, expected: float) -> None:
    """A slope against its finite difference."""
    assert found is not None
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


@settings(deadline=None, max_examples=50)
@given(minerals(), st.sampled_from(["held", "proportional"]))
def test_every_slope_is_what_a_small_step_does(mineral: list[Stage], others: Others) -> None:
    """(score(x + ε) − score(x − ε))/2ε by the scoring core, for every figure of every stage."""
    found = scored(mineral)
    ranked = np.sort(found.stages.score)
    assume(len(ranked) < 2 or ranked[-1] - ranked[-2] > 0.01)  # no two stages bind at once
    step = 1e-6
    for each in levers(found, others):
        if each.figure == "share" and not step < each.value < 1 - step:
            continue
        up, down = (moved(mineral, each, each.value + sign * step, others) for sign in (1, -1))
        assert_alike(each.slope, (score(up) - score(down)) / (2 * step))
        if each.stage is not None:
            ends = [float(scored(side).stages.score[each.stage]) for side in (up, down)]
            assert_alike(each.slope_of(each.stage), (ends[0] - ends[1]) / (2 * step))


@settings(deadline=None, max_examples=50)
@given(minerals(), st.sampled_from(["held", "proportional"]))
def test_the_band_changes_where_a_lever_says(mineral: list[Stage], others: Others) -> None:
    """Just beyond each turning point, scored by the core, stands the band it names; just before it, the band there
    is now."""
    now = band(score(mineral))
    for each in levers(scored(mineral), others):
        if each.figure == "partner_factor":
            continue
        for turn in (each.up, each.down):
            if turn is None:
                continue
            away = math.copysign(1e-6, turn.at - each.value)
            if not 0 <= turn.at + away <= 1 or abs(turn.at - each.value) < 1e-5:
                continue
            assert band(score(moved(mineral, each, turn.at - away, others))) == now
            beyond = scored(moved(mineral, each, turn.at + away, others))
            if beyond.sufficient[0]:
                assert band(float(beyond.score[0])) == turn.band


@settings(deadline=None, max_examples=50)
@given(minerals(), st.sampled_from(["held", "proportional"]))
def test_a_turn_that_is_not_told_is_not_there(mineral: list[Stage], others: Others) -> None:
    """Where no value is given, a walk over the whole reach meets no other band in that direction."""
    order = [name for name, _ in BANDS]
    now = order.index(band(score(mineral)))
    for each in levers(scored(mineral), others):
        if each.figure == "partner_factor":
            continue
        walk = [scored(moved(mineral, each, float(x), others)) for x in np.linspace(each.low + 1e-4, each.high, 25)]
        met = {order.index(band(float(step.score[0]))) for step in walk if step.sufficient[0]}
        if each.up is None:
            assert not {level for level in met if level > now}
        if each.down is None:
            assert not {level for level in met if level < now}


def test_the_factor_turns_where_a_tie_of_that_strength_would_turn_it() -> None:
    """A binding agreement of just that τ in the ladder moves the score to the lower band, a weaker one does not."""
    mineral = [[Supplier(0.65, 0.5, CHINA, tier=Tier.BINDING), Supplier(0.35, 0.4, CHILE)]]
    weak = LADDER.replace(binding=1.0)
    found = next(
        each
        for each in levers(score_minerals(score_stages(*batch(mineral), weak), Groups.one(1)))
        if (each.figure, each.country) == ("partner_factor", CHINA)
    )
    assert found.down is not None

    def of(tau: float) -> str:
        return band(float(score_stages(*batch(mineral), LADDER.replace(binding=tau)).score[0]))

    assert of(found.down.at - 1e-9) == found.down.band
    assert of(found.down.at + 1e-9) == "severe"
