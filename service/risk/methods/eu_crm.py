"""The supply risk of the EU's lists of critical raw materials (guidelines of 2017; lists of 2017, 2020 and 2023).

    SR = [ H_GS · IR/2 + H_EU · (1 − IR/2) ] · (1 − EoL_RIR) · SI_SR
    H  = Σ s² · W · t

Parameters
    H_GS     concentration of the world's supply, H_EU of the EU's own sourcing; 0..10 and above, as W and t allow
    s        fraction 0..1 of that supply by country; a share printed as "below" a value is taken at half of it
    W        governance 0..10, 10 = worst: 2·(2.5 − mean of the six Worldwide Governance Indicators) over the reference
             period, five years (2010–2014 for the list of 2017, 2016–2020 for that of 2023)
    t        trade parameter: 0.8 for EU members only, 1.0 else, 1.1…1.5 where exports are restricted. No trade
             agreement moves it
    IR       import reliance as a fraction, negative values taken as 0
    EoL_RIR  end-of-life recycling input rate, 0..1
    SI_SR    substitution index, 0..1

Which mixes
    Both where both exist; the world's alone where the EU's sourcing is unknown or very poorly known; the EU's alone
    where it imports nothing (IR ≤ 0, the equation's own limit) or no robust world data exist. With one mix alone its H
    takes the place of the bracket. A study may have decided otherwise for a material: its choice can be passed in. The
    answer says which was used.

Stages and groups
    Both stages are computed where data exist and the higher counts. A group (PGM, LREE, HREE) is the arithmetic mean
    of its members, each at its higher stage.

List rule
    Critical where SR ≥ 1.0 and EI ≥ 2.8, both rounded to one decimal. EI, the economic importance, is taken as
    published: from public tables it can be reproduced only weakly.

Source
    European Commission, Methodology for establishing the EU list of critical raw materials: guidelines (2017), and the
    studies on the lists of 2017, 2020 and 2023.

Limits
    The studies speak of the EU as buyer; for others there is no value. The newest study that was out on the day and
    prints the mineral is used. The reference periods lie years back: controls and shifts of 2023 and later are not in
    them. The printed components are rounded; `rounding_range` says what they leave open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from service.risk.numbers import number, numbers

ID = "eu-crm"
VERSION = 1
TITLE = "Supply risk of the EU's critical raw materials"

Basis = Literal["both", "world", "own"]
"""Which supply mixes a supply risk rests on: the world's and the buyer's own, or one of them alone."""

SUPPLY_RISK_THRESHOLD = 1.0
ECONOMIC_IMPORTANCE_THRESHOLD = 2.8


@dataclass(frozen=True)
class SupplyRisk:
    """An unrounded supply risk and the mixes it rests on."""

    value: float
    basis: Basis


@dataclass(frozen=True)
class Components:
    """What the equation takes. Concentrations on the scale of W (0..10), the rest as fractions; None is not known."""

    h_world: float | None
    h_own: float | None
    import_reliance: float | None
    recycling: float
    substitution: float
    basis: Basis | None = None

    def __post_init__(self) -> None:
        for name, h in (("the world's concentration", self.h_world), ("the own concentration", self.h_own)):
            if h is not None:
                number(name, h, 0, np.inf)
        if self.import_reliance is not None:
            number("import reliance", self.import_reliance, -np.inf, 1)
        number("the recycling rate", self.recycling, 0, 1)
        number("the substitution index", self.substitution, 0, 1)


@dataclass(frozen=True)
class Rounding:
    """Half of the last printed digit of each component, as the list of 2017 prints them."""

    h: float = 0.05
    import_reliance: float = 0.005
    recycling: float = 0.005
    substitution: float = 0.05
    supply_risk: float = 0.05


def mix_concentration(shares: ArrayLike, weights: ArrayLike, trade: ArrayLike) -> float:
    """H = Σ s²·W·t of one supply mix; s 0..1, W 0..10, t 0..3."""
    s = numbers("share", shares, 0, 1)
    w = numbers("governance W", weights, 0, 10)
    t = numbers("trade parameter", trade, 0, 3)
    if not s.shape == w.shape == t.shape:
        raise ValueError("shares, governance and trade parameters must be equally many")
    return float((s**2 * w * t).sum())


def choose_basis(components: Components) -> Basis:
    """The mixes to use: as passed in, else by what is known. ValueError where neither mix is, or the one asked for."""
    world, own = components.h_world is not None, components.h_own is not None
    basis = components.basis or _basis_by_data(world, own, components.import_reliance)
    if (basis != "own" and not world) or (basis != "world" and not own):
        raise ValueError(f"supply risk on the basis {basis!r} needs a concentration that is not known")
    if basis == "both" and components.import_reliance is None:
        raise ValueError("supply risk on both mixes needs the import reliance")
    return basis


def _basis_by_data(world: bool, own: bool, import_reliance: float | None) -> Basis:
    if not own or (world and import_reliance is None):
        return "world"
    if not world or (import_reliance is not None and import_reliance <= 0):
        return "own"
    return "both"


def blend(h_world: float, h_own: float, import_reliance: float) -> float:
    """H_GS·IR/2 + H_EU·(1 − IR/2), a negative IR taken as 0."""
    half = max(0.0, import_reliance) / 2
    return h_world * half + h_own * (1 - half)


def supply_risk(components: Components) -> SupplyRisk:
    """SR of one material at one stage, unrounded."""
    basis = choose_basis(components)
    bracket = _bracket(basis, components.h_world, components.h_own, components.import_reliance)
    return SupplyRisk(bracket * (1 - components.recycling) * components.substitution, basis)


def _bracket(basis: Basis, world: float | None, own: float | None, import_reliance: float | None) -> float:
    if basis == "both" and world is not None and own is not None and import_reliance is not None:
        return blend(world, own, import_reliance)
    alone = world if basis == "world" else own
    if alone is None:
        raise ValueError(f"the concentration of the basis {basis!r} is not known")
    return alone


def rounding_range(components: Components, rounding: Rounding = Rounding()) -> tuple[float, float]:
    """The lowest and the highest SR that components printed with this rounding can stand for."""
    basis = choose_basis(components)
    reliance = components.import_reliance
    reliances = (
        (None,) if reliance is None else [_within(reliance + sign * rounding.import_reliance, 1) for sign in (-1, 1)]
    )

    def end(sign: int) -> float:
        world, own = (
            None if h is None else max(0.0, h + sign * rounding.h) for h in (components.h_world, components.h_own)
        )
        brackets = [_bracket(basis, world, own, each) for each in reliances]
        recycling = _within(components.recycling - sign * rounding.recycling, 1)
        substitution = _within(components.substitution + sign * rounding.substitution, 1)
        return (min(brackets) if sign < 0 else max(brackets)) * (1 - recycling) * substitution

    return end(-1), end(1)


def _within(value: float, most: float) -> float:
    return min(most, max(0.0, value))


def consistent(components: Components, published: float, rounding: Rounding = Rounding()) -> bool:
    """Whether a published SR can come from the printed components once the rounding of both is allowed for."""
    low, high = rounding_range(components, rounding)
    slack = number("published SR", published, 0, np.inf) * 1e-12
    return low - rounding.supply_risk - slack <= published <= high + rounding.supply_risk + slack


def of_stages(stages: Sequence[float]) -> float:
    """The supply risk of a material from those of its stages: the higher."""
    return float(numbers("supply risk", stages, 0, np.inf).max())


def of_group(members: Sequence[float]) -> float:
    """The supply risk of a group from those of its members, each at its higher stage: the arithmetic mean."""
    return float(numbers("supply risk", members, 0, np.inf).mean())


def one_decimal(value: float) -> float:
    """Rounded to one decimal, halves upwards, as the lists print."""
    return math.floor(value * 10 + 0.5) / 10


def is_critical(sr: float, ei: float) -> bool:
    """The list rule, on values rounded to one decimal."""
    return one_decimal(sr) >= SUPPLY_RISK_THRESHOLD and one_decimal(ei) >= ECONOMIC_IMPORTANCE_THRESHOLD
