"""The EU's supply risk, from hand-computed numbers and from printed components."""

import pytest

from service.risk.methods.eu_crm import (
    Basis,
    Components,
    Rounding,
    blend,
    choose_basis,
    consistent,
    is_critical,
    mix_concentration,
    of_group,
    of_stages,
    one_decimal,
    rounding_range,
    supply_risk,
)


def components(
    world: float | None = None,
    own: float | None = None,
    reliance: float | None = None,
    recycling: float = 0.0,
    substitution: float = 1.0,
    basis: Basis | None = None,
) -> Components:
    """Components with nothing recycled or substituted unless told otherwise."""
    return Components(world, own, reliance, recycling, substitution, basis)


def test_the_concentration_of_a_mix_weighs_squares_by_governance_and_trade() -> None:
    """A member of the EU at t = .8 and China (W 5.679, 2016–2020) at t = 1.2."""
    assert mix_concentration([0.3, 0.7], [2.0, 5.679], [0.8, 1.2]) == pytest.approx(0.09 * 2 * 0.8 + 0.49 * 5.679 * 1.2)


def test_antimony_of_2017_comes_from_its_printed_components() -> None:
    """H 7.1 and 5.7, IR 100 %, EoL-RIR 28 %, SI 0.9 (study on the list of 2017): 4.1 if exact, 4.3 printed."""
    antimony = components(7.1, 5.7, 1.0, 0.28, 0.9)
    assert supply_risk(antimony).value == pytest.approx((7.1 / 2 + 5.7 / 2) * 0.72 * 0.9)
    assert consistent(antimony, 4.3)
    assert not consistent(antimony, 4.6)


def test_import_reliance_moves_the_weight_to_the_worlds_mix() -> None:
    """At 0 the own mix counts alone, at 1 both count half, below 0 as at 0."""
    assert blend(4, 1, 0) == 1
    assert blend(4, 1, 1) == 2.5
    assert blend(4, 1, -0.3) == 1


@pytest.mark.parametrize(
    ("given", "basis"),
    [
        (components(4, 1, 0.5), "both"),
        (components(4, 1, 0.0), "own"),
        (components(4, 1, -0.2), "own"),
        (components(4, 1, None), "world"),
        (components(4, None, 0.5), "world"),
        (components(4, None, None), "world"),
        (components(None, 1, 0.5), "own"),
        (components(4, 1, 1.0, basis="own"), "own"),
        (components(4, 1, 0.0, basis="world"), "world"),
    ],
)
def test_the_answer_says_which_mixes_it_rests_on(given: Components, basis: Basis) -> None:
    """Both where both are known and something is imported; what a study decided goes before."""
    assert choose_basis(given) == basis
    assert supply_risk(given).basis == basis


def test_one_mix_alone_takes_the_place_of_the_bracket() -> None:
    """World only: H·(1 − EoL)·SI, whatever the import reliance. Platinum 2017: 2.5 · .89 · 1."""
    assert supply_risk(components(2.5, 0.0, 0.98, 0.11, 1.0, "world")).value == pytest.approx(2.5 * 0.89)


@pytest.mark.parametrize(
    "given",
    [
        components(),
        components(4, None, 1.0, basis="own"),
        components(None, 1, 1.0, basis="world"),
        components(4, 1, None, basis="both"),
    ],
)
def test_a_mix_that_is_not_known_gives_no_supply_risk(given: Components) -> None:
    """Nothing is put in the place of what is missing."""
    with pytest.raises(ValueError, match=r"known|needs"):
        supply_risk(given)


def test_rounded_components_leave_a_range() -> None:
    """H 2.0 ± .05 alone, SI 1.0 − .05 and EoL-RIR 50 ± .5 %: the ends are those of the inputs."""
    low, high = rounding_range(components(2.0, None, None, 0.5, 1.0))
    assert (low, high) == pytest.approx((1.95 * 0.495 * 0.95, 2.05 * 0.505 * 1.0))
    finer = rounding_range(components(2.0, None, None, 0.5, 1.0), Rounding(h=0.005, substitution=0.005))
    assert low < finer[0] < 1.0 < finer[1] < high


def test_import_reliance_widens_the_range_whichever_mix_is_higher() -> None:
    """Its rounding works in opposite directions for the two mixes; both are allowed for."""
    for world, own in ((4.0, 1.0), (1.0, 4.0)):
        low, high = rounding_range(components(world, own, 0.5), Rounding(h=0, substitution=0, recycling=0))
        assert (low, high) == pytest.approx(sorted((blend(world, own, 0.495), blend(world, own, 0.505))))


def test_the_higher_stage_counts_and_a_group_is_the_mean_of_its_members() -> None:
    """Members 3.0 and 2.0, each at its higher stage, make a group of 2.5."""
    assert of_stages([1.0, 3.0]) == 3.0
    assert of_group([of_stages([1.0, 3.0]), of_stages([2.0])]) == 2.5


@pytest.mark.parametrize(
    ("sr", "ei", "critical"),
    [(0.95, 2.75, True), (0.949, 5.0, False), (1.0, 2.749, False), (1.0, 2.8, True), (0.3, 7.2, False)],
)
def test_the_list_rule_reads_values_at_one_decimal(sr: float, ei: float, critical: bool) -> None:
    """SR ≥ 1.0 and EI ≥ 2.8 after rounding, halves upwards."""
    assert is_critical(sr, ei) is critical


def test_halves_round_upwards() -> None:
    """0.25 prints as 0.3 and 0.35 as 0.4, though neither is exact in binary."""
    assert [one_decimal(value) for value in (0.25, 0.35, 0.95, 2.75)] == [0.3, 0.4, 1.0, 2.8]


@pytest.mark.parametrize(
    "bad",
    [{"world": float("nan")}, {"own": -1.0}, {"reliance": 1.5}, {"recycling": 1.1}, {"substitution": float("inf")}],
)
def test_components_off_their_scale_are_refused(bad: dict[str, float]) -> None:
    """Concentrations from 0, import reliance up to 1, the rest within 0..1, and all of them numbers."""
    with pytest.raises(ValueError, match="must"):
        components(**{"world": 1.0} | bad)  # type: ignore[arg-type]


def test_a_mix_needs_as_many_weights_as_shares() -> None:
    """Shares, governance and trade parameters belong together."""
    with pytest.raises(ValueError, match="equally many"):
        mix_concentration([0.5, 0.5], [1.0], [1.0])
