"""Output lost and added, and the parts several causes have in a difference."""

from __future__ import annotations

import numpy as np
import pytest

from service.risk.control import available, by_control, parts_of
from service.risk.scenario import growth_needed, parts, reshape


def test_shares_after_a_loss_are_of_what_is_left() -> None:
    """Of .5, .3 and .1 the first is lost: half of the output remains, the remainder of .1 doubles its part too."""
    found = reshape(np.array([0.5, 0.3, 0.1]), np.array([-0.5, 0.0, 0.0]))
    assert found.output == 0.5
    assert found.shares.tolist() == [0, 0.6, 0.2]


def test_shares_after_an_addition_are_of_more() -> None:
    found = reshape(np.array([0.8, 0.0]), np.array([0.0, 0.25]))
    assert found.output == 1.25
    assert found.shares.tolist() == pytest.approx([0.64, 0.2])


def test_without_a_change_nothing_changes() -> None:
    shares = np.array([1 / 3, 0.1, 1e-7])
    found = reshape(shares, np.zeros(3))
    assert (found.output, found.shares.tolist()) == (1.0, shares.tolist())


def test_losing_everything_leaves_nothing() -> None:
    """Also where rounded shares sum to more than 1."""
    for shares in ([1.0], [0.7, 0.32]):
        found = reshape(np.array(shares), -np.array(shares))
        assert (found.output, found.shares.tolist()) == (0.0, [0.0] * len(shares))


def test_more_than_there_is_cannot_be_lost() -> None:
    with pytest.raises(ValueError, match="more output is lost"):
        reshape(np.array([0.3, 0.5]), np.array([-0.4, 0.0]))
    with pytest.raises(ValueError, match="finite"):
        reshape(np.array([0.3]), np.array([np.nan]))


def test_what_is_left_would_have_to_grow() -> None:
    assert growth_needed(0.9, 0.1) == pytest.approx(9)
    assert growth_needed(0.0, 1.0) == 0
    assert growth_needed(1.0, 0.0) is None


def test_while_one_stage_binds_parts_are_in_proportion() -> None:
    """H falls from .25 to .16: the score from 50 to 40, two thirds of it by the one that moves H by .06."""
    found = parts(np.array([0.25]), np.array([[-0.06, -0.03, 0.0]]))
    assert found.tolist() == pytest.approx([-20 / 3, -10 / 3, 0])


def test_a_stage_that_takes_over_gets_the_rest() -> None:
    """The first stage falls from .36 to .16 and stops binding at .25, where the other stands: 60 → 50 → 50."""
    found = parts(np.array([0.36, 0.25]), np.array([[-0.2, 0.0], [0.0, 0.0]]))
    assert found.tolist() == pytest.approx([-10, 0])


def test_two_stages_share_the_whole() -> None:
    """The first binds to the point where both are .27 (a quarter of the way), then the second."""
    before, moves = np.array([0.36, 0.28]), np.array([[-0.36, 0.0], [0.0, -0.04]])
    found = parts(before, moves)
    crossing = 0.25
    assert found[0] == pytest.approx(100 * (0.27**0.5 - 0.36**0.5))
    assert found[1] == pytest.approx(100 * (0.24**0.5 - (0.28 - 0.04 * crossing) ** 0.5))
    assert found.sum() == pytest.approx(100 * (0.24**0.5 - 0.36**0.5))


def test_above_a_score_of_100_nothing_counts() -> None:
    assert parts(np.array([1.44]), np.array([[-0.22, -0.22]])).sum() == 0
    assert parts(np.array([1.44]), np.array([[-0.63]])).tolist() == pytest.approx([-10])


def test_nothing_moved_has_no_parts() -> None:
    assert parts(np.array([0.3, 0.2]), np.zeros((2, 3))).tolist() == [0, 0, 0]
    assert parts(np.zeros(0), np.zeros((0, 2))).tolist() == [0, 0]


def test_causes_of_both_signs_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be told apart"):
        parts(np.array([0.3]), np.array([[0.1, -0.1]]))


def test_capacity_nobody_is_named_for_is_the_hosts_own() -> None:
    assert parts_of("IDN", {"CHN": 0.75}) == {"CHN": 0.75, "IDN": 0.25}
    assert parts_of("IDN", {}) == {"IDN": 1}
    assert parts_of("IDN", {"IDN": 0.1, "CHN": 0.5}) == {"IDN": pytest.approx(0.5), "CHN": 0.5}


def test_stakes_that_sum_to_more_than_the_whole_are_divided_by_their_sum() -> None:
    assert parts_of("COD", {"CHN": 0.9, "CHE": 0.6}) == {"CHN": pytest.approx(0.6), "CHE": pytest.approx(0.4)}


def test_output_by_control_is_told_host_by_host_and_sums_to_what_it_was() -> None:
    """Nickel of 2024 with three quarters of Indonesia's refining in Chinese hands."""
    held = by_control({"IDN": 0.4286, "CHN": 0.3132}, {"IDN": {"CHN": 0.75}})
    assert held["CHN"] == {"IDN": pytest.approx(0.32145), "CHN": 0.3132}
    assert held["IDN"] == {"IDN": pytest.approx(0.10715)}
    assert sum(sum(each.values()) for each in held.values()) == pytest.approx(0.7418)


def test_what_is_committed_to_others_is_not_available() -> None:
    shares, committed = {"MYS": 0.2, "CHN": 0.6}, {"MYS": {"JPN": 0.75, "KOR": 0.5}}
    assert available(shares, committed, frozenset({"USA"})) == pytest.approx(0.6)
    assert available(shares, committed, frozenset({"JPN"})) == pytest.approx(0.6 + 0.2 * 0.5)
    assert available(shares, {}, frozenset({"USA"})) == pytest.approx(0.8)
