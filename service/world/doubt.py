"""How well each share is known: by the quality of its source, and by how far other sources are from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from service.risk.uncertainty import SHARE_SD, WIDEST_SHARE_SD, ShareQuality

if TYPE_CHECKING:
    from datetime import date

    from service.risk.numbers import Floats
    from service.world.rows import Share
    from service.world.shares import ShareSet
    from service.world.world import World

_SECONDARY = ("secondary_page", "article")
_EDGE = 1e-3
"""Shares are compared no closer to 0 and 1 than this, where log odds run away."""


def share_sd(world: World, chosen: ShareSet, as_of: date) -> Floats:
    """The standard error of each share of a set, relative to the supplier's own output.

    It is that of the share's quality, or what other sources' newest sets of the day differ by where that is more: the
    difference d in log odds of two readings of one value is √3 standard errors wide, the half-width of the uniform
    distribution the draws use. Never above the widest the draws allow. Shares that no source prints bring their own.
    """
    if chosen.sd is not None:
        return chosen.sd
    own = np.array([SHARE_SD[_quality(row, chosen)] for row in chosen.rows])
    odds = [None if row.share is None else _log_odds(row.share) for row in chosen.rows]
    for other in _others(world, chosen, as_of):
        shares = other.printed
        for at, row in enumerate(chosen.rows):
            mine, share = odds[at], shares.get(row.country)
            if mine is not None and share is not None:
                own[at] = max(own[at], abs(mine - _log_odds(share)) / np.sqrt(3))
    return np.asarray(np.minimum(own, WIDEST_SHARE_SD))


def sd_by_country(world: World, chosen: ShareSet, as_of: date) -> dict[str, float]:
    """The same by the supplier's country."""
    errors = share_sd(world, chosen, as_of).tolist()
    return dict(zip((row.country for row in chosen.rows), errors, strict=True))


def _quality(row: Share, chosen: ShareSet) -> ShareQuality:
    if row.qualifier == "below":
        return "below"
    if chosen.source.evidence_level in _SECONDARY:
        return "secondary"
    return "estimated" if row.qualifier == "estimated" else "reported"


def _others(world: World, chosen: ShareSet, as_of: date) -> list[ShareSet]:
    """The newest set of every other source that speaks on the day."""
    newest: dict[str, ShareSet] = {}
    for candidate in world.share_sets[chosen.mineral, chosen.stage]:
        source = candidate.source.id
        if source == chosen.source.id or not candidate.speaks_on(as_of):
            continue
        if source not in newest or (candidate.reference_year or 0) > (newest[source].reference_year or 0):
            newest[source] = candidate
    return [newest[source] for source in sorted(newest)]


def _log_odds(share: float) -> float:
    inside = min(max(float(share), _EDGE), 1 - _EDGE)
    return float(np.log(inside / (1 - inside)))
