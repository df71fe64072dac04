"""Governance weights and their standard errors."""

import numpy as np
import pytest

from service.risk.governance import governance_sd, governance_weight, scaled_weight, stability_weight


def test_the_scale_runs_from_best_to_worst() -> None:
    """Estimates of 2.5 throughout give 0, of −2.5 give 10 on the EU's scale and 1 as a weight."""
    assert scaled_weight([2.5] * 6) == 0
    assert scaled_weight([-2.5] * 6) == 10
    assert governance_weight([-2.5] * 6) == 1
    assert governance_weight([0.0] * 6) == 0.5


def test_china_in_the_release_of_2024() -> None:
    """China 2023, cc ge pv rl rq va of the World Bank's release of 2024: mean −.290106, g = .558021."""
    estimates = [-0.005370, 0.679014, -0.513097, -0.040130, -0.356508, -1.504554]
    assert governance_weight(estimates) == pytest.approx(0.5 - np.mean(estimates) / 5)
    assert governance_weight(estimates) == pytest.approx(0.558021, abs=1e-6)


def test_many_countries_at_once_are_each_as_on_their_own() -> None:
    """A table of countries gives one weight per row."""
    table = np.array([[0.1] * 6, [-1.0] * 6])
    assert governance_weight(table).tolist() == [float(governance_weight(row)) for row in table]


def test_a_single_estimate_may_pass_the_theoretical_bound() -> None:
    """Yemen's political stability stood at −3.0 in 2018; the mean of six stays on the scale."""
    assert governance_weight([-3.0, -1.6, -1.7, -1.8, -2.2, -1.7]) == pytest.approx(0.9)


def test_a_mean_beyond_the_scale_is_refused_and_not_clipped() -> None:
    """A mean of −2.6 cannot be a WGI mean."""
    with pytest.raises(ValueError, match="mean of six"):
        governance_weight([-2.6] * 6)


@pytest.mark.parametrize("estimates", [[0.0] * 5, 0.0, []])
def test_governance_needs_all_six_dimensions(estimates: object) -> None:
    """Five estimates are not six: the country has no weight rather than a guessed one."""
    with pytest.raises(ValueError, match="six"):
        governance_weight(estimates)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="six"):
        governance_sd(estimates)  # type: ignore[arg-type]


def test_the_standard_error_takes_the_six_as_correlated() -> None:
    """Six errors of .2 leave an error of .2 on the mean and .04 on g."""
    assert governance_sd([0.2] * 6) == pytest.approx(0.04)


def test_political_stability_alone_is_clipped_to_the_bounds() -> None:
    """g = (2.5 − PV)/5, 1 below −2.5 and 0 above 2.5."""
    assert stability_weight([-3.0, -2.5, 0.0, 2.5, 2.6]).tolist() == [1, 1, 0.5, 0, 0]


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), 7.0])
def test_what_is_no_estimate_is_refused(value: float) -> None:
    """Neither NaN nor infinity nor a number far off the scale gets through."""
    with pytest.raises(ValueError, match="WGI estimate"):
        governance_weight([value] * 6)
    with pytest.raises(ValueError, match="WGI estimate"):
        stability_weight(value)
