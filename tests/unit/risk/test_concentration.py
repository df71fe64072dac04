"""Concentration against hand-computed and published numbers."""

import pytest

from service.risk.concentration import dirichlet_hhi, effective_suppliers, hhi, hhi_bounds, n_minus_one


def test_equal_suppliers_give_one_over_their_number() -> None:
    """Four equal suppliers have an index of 1/4 and count as four."""
    assert hhi([0.25] * 4) == 0.25
    assert effective_suppliers(0.25) == 4


def test_a_single_supplier_is_fully_concentrated() -> None:
    """One supplier of everything gives 1."""
    assert hhi([1.0]) == 1


def test_the_remainder_bounds_the_index() -> None:
    """Shares .74, .10, .03 with .13 unnamed: .5585 thin, .5754 in one hand, .5622 in hands no larger than .03."""
    assert hhi_bounds([0.74, 0.10, 0.03]) == pytest.approx((0.5585, 0.5754, 0.5622), abs=1e-12)


def test_nothing_named_leaves_everything_open() -> None:
    """Without a share the index may be anything from 0 to 1, and no named supplier limits the unnamed."""
    assert hhi_bounds([]) == (0, 1, 1)


def test_shares_beyond_the_whole_leave_no_remainder() -> None:
    """Shares that sum to 1.037 are squared as printed and nothing is added."""
    low, high, tight = hhi_bounds([0.6, 0.437])
    assert low == high == tight == pytest.approx(0.6**2 + 0.437**2)


def test_uncertain_shares_bias_the_index_upward() -> None:
    """Dirichlet with k = 50 around (.6, .2, .1, .05, .05): S = .415, mean .42647, sd about .063."""
    shares = [0.6, 0.2, 0.1, 0.05, 0.05]
    mean, sd = dirichlet_hhi(shares, k=50)
    assert hhi(shares) == pytest.approx(0.415)
    assert mean == pytest.approx((50 * 0.415 + 1) / 51) == pytest.approx(0.42647, abs=5e-6)
    assert sd == pytest.approx(0.063, abs=5e-4)


def test_what_remains_without_the_largest_supplier() -> None:
    """Of 100 supplied and demanded the loss of 60 leaves 40 %; without the leader's own demand of 20 it is half."""
    assert n_minus_one(supply=100, largest=60, demand=100) == 0.4
    assert n_minus_one(supply=100, largest=60, demand=100, leader_demand=20) == 0.5


@pytest.mark.parametrize("shares", [[float("nan")], [float("inf")], [-0.1], [1.2]])
def test_shares_that_are_no_shares_are_refused(shares: list[float]) -> None:
    """Not a number, infinite, negative and above 1 are all named in the error."""
    with pytest.raises(ValueError, match="share must"):
        hhi(shares)


def test_demand_of_the_leader_alone_has_no_n_minus_one() -> None:
    """Where nobody else demands anything there is nothing to be met."""
    with pytest.raises(ValueError, match="demand above"):
        n_minus_one(supply=1, largest=0.5, demand=0.5, leader_demand=0.5)


def test_no_concentration_has_no_effective_suppliers() -> None:
    """An index of 0 is nobody's."""
    with pytest.raises(ValueError, match="above 0"):
        effective_suppliers(0)


@pytest.mark.parametrize(("shares", "k"), [([0.5, 0.4], 50), ([0.5, 0.5], 0)])
def test_a_dirichlet_needs_a_whole_and_a_positive_k(shares: list[float], k: float) -> None:
    """Shares that do not sum to 1, or no weight behind them, are refused."""
    with pytest.raises(ValueError, match="Dirichlet"):
        dirichlet_hhi(shares, k)
