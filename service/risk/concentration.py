"""How few countries hold a mineral's output: the Herfindahl index, what is not reported, and the loss of the largest.

    HHI = Σ s²      0..1; 1/n for n equal suppliers, 1 for a single one; ×10,000 on the scale of competition law

s is a supplier's fraction of output. Where the named shares leave a remainder R the index is only bounded:

    lower    Σs²                        countless small suppliers hold the remainder
    upper    Σs² + R²                   a single one holds it
    tighter  Σs² + n·s_min² + (R − n·s_min)²,  n = ⌊R / s_min⌋
                                        if no unnamed supplier is larger than the smallest named one

Shares are never renormalised: what is not named stays a remainder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from service.risk.numbers import Floats, Groups, number, numbers


def herfindahl(share: Floats, groups: Groups) -> Floats:
    """Σs² of each group."""
    return groups.sum(share**2)


def hhi(shares: ArrayLike) -> float:
    """Σs² of one list of shares (0..1)."""
    checked = numbers("share", shares, 0, 1)
    return float(herfindahl(checked, Groups.one(checked.size))[0])


def effective_suppliers(index: float) -> float:
    """1/HHI: how many equal suppliers would be as concentrated."""
    if number("HHI", index, 0, np.inf) == 0:
        raise ValueError("HHI must be above 0 to count effective suppliers")
    return 1 / index


@dataclass(frozen=True, eq=False)
class Bounds:
    """The index of each group with its remainder spread thin (`low`), in one hand (`high`), and `tight` (see above)."""

    low: Floats
    high: Floats
    tight: Floats


def bounds(share: Floats, groups: Groups) -> Bounds:
    """The bounds of each group's index; a group without a positive share is wholly remainder."""
    low = herfindahl(share, groups)
    remainder = np.maximum(0.0, 1.0 - groups.sum(share))
    smallest = groups.smallest(np.where(share > 0, share, np.inf))
    # Without a named share nothing limits the size of the unnamed: the tighter bound falls back on the upper one.
    piece = np.where(np.isfinite(smallest), smallest, 1.0)
    rest = np.fmod(remainder, piece)
    return Bounds(low, low + remainder**2, low + (remainder - rest) * piece + rest**2)


def hhi_bounds(shares: ArrayLike) -> tuple[float, float, float]:
    """Lower, upper and tighter bound of one list of shares."""
    checked = numbers("share", shares, 0, 1)
    found = bounds(checked, Groups.one(checked.size))
    return float(found.low[0]), float(found.high[0]), float(found.tight[0])


def dirichlet_hhi(shares: Sequence[float], k: float) -> tuple[float, float]:
    """Mean and standard deviation of the index when the shares are Dirichlet(k·p) distributed.

    E = (k·S + 1)/(k + 1) with S = Σp²: uncertainty about shares biases the index upward. The standard deviation is
    exact, from the distribution's fourth moments. `shares` sum to 1, k > 0.
    """
    p = numbers("share", shares, 0, 1)
    if abs(p.sum() - 1) > 1e-9 or number("k", k, 0, np.inf) == 0:
        raise ValueError("a Dirichlet distribution needs shares that sum to 1 and k above 0")
    alpha = k * p
    square = alpha * (alpha + 1)
    mean = float(square.sum() / (k * (k + 1)))
    fourth = square * (alpha + 2) * (alpha + 3)
    of_square = (fourth.sum() + square.sum() ** 2 - (square**2).sum()) / (k * (k + 1) * (k + 2) * (k + 3))
    return mean, float(np.sqrt(max(0.0, of_square - mean**2)))


def n_minus_one(supply: float, largest: float, demand: float, leader_demand: float = 0.0) -> float:
    """What part of demand is met when the largest supplier is lost: (supply − largest) / (demand − leader_demand).

    Any unit, the same for all. `leader_demand` is what the largest supplier consumes itself: with it removed the
    figure speaks about everybody else, at 0 about the whole world.
    """
    total = number("supply", supply, 0, np.inf)
    lost = number("the largest supplier", largest, 0, total)
    others = number("demand", demand, 0, np.inf) - number("the leader's demand", leader_demand, 0, np.inf)
    if others <= 0:
        raise ValueError("N−1 needs a demand above that of the largest supplier")
    return (total - lost) / others
