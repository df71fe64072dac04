"""What remains without the largest supplier.

    N−1        = (supply − largest supplier) / demand
    score      = 100 · (1 − N−1), not below 0       the part of demand that is not met

Two readings
    world    demand is the whole world's, the lost supplier's own included
    others   supply and demand as above with the lost supplier's own demand removed from demand: what it leaves to
             everybody else, if it also stops competing for what the others produce

Parameters
    supply, demand  any unit, the same for all, one mineral, stage and year. With shares and a market in balance supply
                    is the list of shares and demand is 1, and N−1 of the world is 1 − the largest share

Source
    International Energy Agency, Global Critical Minerals Outlook 2025: for 2035 graphite and rare earths stand at
    35–40 %, nickel below 55 %, lithium and cobalt near 65 %.

What is missing
    Only named suppliers can be lost. Where the unreported remainder is larger than the largest named supplier, somebody
    unnamed may be larger, and the figure says so (`remainder_could_lead`).

Limits
    A bound of exposure, not a forecast: stocks, idle capacity, substitution and rationing do not enter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from service.risk.concentration import n_minus_one
from service.risk.numbers import number, numbers

ID = "n-1"
VERSION = 1
TITLE = "Without the largest supplier"


@dataclass(frozen=True)
class WithoutLeader:
    """What part of demand is met without the largest supplier, in both readings, and the score of each.

    `others` is None where the leader's own demand is not known.
    """

    world: float
    others: float | None
    remainder_could_lead: bool

    @property
    def world_score(self) -> float:
        """100·(1 − N−1), the part of the world's demand that is not met."""
        return unmet(self.world)

    @property
    def others_score(self) -> float | None:
        """100·(1 − N−1), the part of everybody else's demand that is not met."""
        return None if self.others is None else unmet(self.others)


def unmet(part_met: float) -> float:
    """The score of an N−1 figure: 100·(1 − it), 0 where demand is met in full."""
    return 100 * max(0.0, 1 - number("N−1", part_met, 0, np.inf))


def without_leader(shares: Sequence[float], leader_demand: float | None = None) -> WithoutLeader:
    """N−1 from shares of a market in balance (demand = 1); what is not named goes on being supplied.

    `leader_demand` is the largest supplier's own part of demand, 0..1. ValueError without a positive share.
    """
    named = numbers("share", shares, 0, 1)
    if not named.size or named.max() == 0:
        raise ValueError("N−1 needs at least one supplier")
    total, lost = float(named.sum()), float(named.max())
    supply = max(1.0, total)
    return WithoutLeader(
        world=n_minus_one(supply, lost, demand=1.0),
        others=None if leader_demand is None else n_minus_one(supply, lost, 1.0, leader_demand),
        remainder_could_lead=1 - total > lost,
    )
