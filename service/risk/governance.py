"""Who governs the places a mineral comes from: the governance weight g, 0 = best and 1 = worst.

    W = 2·(2.5 − mean of the six WGI estimates)      0..10, the EU's scale
    g = W / 10                                       0..1, `partner-adjusted` and `eu-crm`
    g = clip((2.5 − PV) / 5, 0, 1)                   political stability alone, `geopolrisk`

The Worldwide Governance Indicators run from −2.5 (worst) to 2.5 (best) in theory. Those bounds are fixed; the observed
minimum and maximum are never used. Estimates of different releases are never mixed: that is the caller's duty.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from service.risk.numbers import Floats, numbers

DIMENSIONS = ("cc", "ge", "pv", "rl", "rq", "va")
"""Control of corruption, government effectiveness, political stability, rule of law, regulatory quality, voice."""

BOUND = 2.5
"""The theoretical bound of an estimate on either side."""

WIDEST_ESTIMATE = 5.0
"""Single estimates pass the theoretical bound now and then (political stability of −3.0); none comes near this."""


def scaled_weight(estimates: ArrayLike) -> Floats:
    """W = 2·(2.5 − mean of six), 0..10, of one country (6 numbers) or of many (… × 6).

    A single estimate may pass ±2.5. A mean that does leaves the scale and is a ValueError, not a clipped value: in
    the release of 2024 the means lie within −2.22..1.86.
    """
    six = numbers("a WGI estimate", estimates, -WIDEST_ESTIMATE, WIDEST_ESTIMATE)
    if not six.ndim or six.shape[-1] != len(DIMENSIONS):
        raise ValueError(f"governance needs the six estimates {', '.join(DIMENSIONS)}")
    return 2 * (BOUND - numbers("the mean of six WGI estimates", six.mean(axis=-1), -BOUND, BOUND))


def governance_weight(estimates: ArrayLike) -> Floats:
    """g = W/10, 0..1, from the six estimates of one country or of many."""
    return scaled_weight(estimates) / 10


def governance_sd(stderrs: ArrayLike) -> Floats:
    """The standard error of g from those of the six estimates: their mean / 5.

    The six share sources and their errors are taken as perfectly correlated, which is the widest the mean's error can
    be; independent errors would make it √6 times smaller.
    """
    six = numbers("a WGI standard error", stderrs, 0, WIDEST_ESTIMATE)
    if not six.ndim or six.shape[-1] != len(DIMENSIONS):
        raise ValueError(f"governance needs the standard errors of the six {', '.join(DIMENSIONS)}")
    error: Floats = six.mean(axis=-1) / (2 * BOUND)
    return error


def stability_weight(political_stability: ArrayLike) -> Floats:
    """g = clip((2.5 − PV)/5, 0, 1) from the estimate of political stability alone."""
    estimate = numbers("a WGI estimate", political_stability, -WIDEST_ESTIMATE, WIDEST_ESTIMATE)
    return np.clip((BOUND - estimate) / (2 * BOUND), 0, 1)
