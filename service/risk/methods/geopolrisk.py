"""GeoPolRisk: how far a buyer's imports of a material come from unstable places, times how concentrated its output is.

    HHI        = Σ P² / (Σ P)²
    ImportRisk = Σ g·f / (p + F)
    score      = HHI · ImportRisk
    midpoint   = score · price
    CF         = midpoint / 0.409412948

Parameters
    P      production of each country, any unit, one material and year
    f      the buyer's imports from each country, t; F all of them
    p      the buyer's own production, t of the same mass basis as f
    g      clip((2.5 − PV)/5, 0, 1) with PV the Worldwide Governance Indicators' political stability, 0..1, 1 = worst
    price  kUSD per t
    CF     characterisation factor in kg copper equivalent per kg; 0.409412948 kUSD/t is the method's copper midpoint

A bloc as buyer
    Imports between its members stay in F with g = 0; its members' production is summed.

What is missing
    Imports from a country without a governance figure stay in F, add nothing to the sum and are flagged: the risk is
    understated by at most their part of p + F. Neither imports nor production on record: import risk 0, flagged
    no_supply, since nothing is at risk that is not there. The method's own library takes both as plain zeros. A buyer
    with more than half of p + F from places without a figure has no score. Governance is that of the year of trade, or
    of the newest year before it, and of one release.

Source
    Gemechu et al. 2015 and 2016; Helbig et al. 2016 (domestic production); Santillán-Saldivar et al. 2022. Checked
    against the table of the method's own library for 2022, 22 materials for the USA, the EU and Japan.

Limits
    HHI and imports meet in one product: a perfectly diversified buyer still carries the world's concentration. Domestic
    production counts as free of risk whoever governs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from service.risk.numbers import Bools, number, numbers

ID = "geopolrisk"
VERSION = 1
TITLE = "GeoPolRisk"

COPPER_MIDPOINT = 0.409412948
"""kUSD per t: what the method divides midpoints by to express them in kg copper equivalent."""

ImportFlag = Literal["imports_without_governance", "no_supply"]


@dataclass(frozen=True)
class ImportRisk:
    """The import risk 0..1, the part of supply (p + F) imported from places without a governance figure, and flags."""

    value: float
    ungoverned: float
    flags: tuple[ImportFlag, ...]


def production_hhi(production: ArrayLike) -> float:
    """ΣP²/(ΣP)², 1/n..1. ValueError where nothing is produced: concentration then has no meaning."""
    amounts = numbers("production", production, 0, np.inf)
    if amounts.sum() == 0:
        raise ValueError("production must be above 0 somewhere")
    return float((amounts**2).sum() / amounts.sum() ** 2)


def import_risk(imports: ArrayLike, governance: ArrayLike, governed: Bools, domestic: float) -> ImportRisk:
    """Σ g·f/(p + F) of one buyer; `governance` (0..1) is ignored where it is not known (not `governed`)."""
    f = numbers("imports", imports, 0, np.inf)
    g = numbers("governance", governance, 0, 1)
    if not f.shape == g.shape == governed.shape:
        raise ValueError("imports and governance must be equally many")
    supply = number("domestic production", domestic, 0, np.inf) + float(f.sum())
    if supply == 0:
        return ImportRisk(0.0, 0.0, ("no_supply",))
    ungoverned = float(f[~governed].sum()) / supply
    flags: tuple[ImportFlag, ...] = ("imports_without_governance",) if ungoverned > 0 else ()
    return ImportRisk(float((f * g)[governed].sum()) / supply, ungoverned, flags)


def geopolrisk_score(hhi: float, risk: float) -> float:
    """HHI · ImportRisk, 0..1."""
    return number("HHI", hhi, 0, 1) * number("import risk", risk, 0, 1)


def midpoint(score: float, price: float) -> float:
    """Score · price, in kUSD per t as the price."""
    return number("score", score, 0, 1) * number("price", price, 0, np.inf)


def characterisation_factor(score: float, price: float) -> float:
    """Midpoint relative to copper's: kg copper equivalent per kg."""
    return midpoint(score, price) / COPPER_MIDPOINT
