"""What stands between a buyer and a country: the ladder of ties, the restrictions, and the partner factor t.

    t = τ · (1 + (r − 1) · (1 − ρ))

τ ≤ 1   the best tie between buyer and country that covers the mineral on the day; ties never stack
r ≥ 1   the strongest restriction of the country on exports of the mineral that applies to the buyer, 1 without one
ρ       1 where a binding clause in force forbids the country to restrict exports of the mineral to the buyer, else 0

The ladder is a convention of this project: no published method grades how binding an agreement is. Its fixed points
are published: home supply carries no foreign risk (GeoPolRisk), 0.8 for members of a single market and 1.1…1.5 for
restrictions (the values printed with the EU's list of 2023). Each step has a low and a high beside its central value;
they feed the interval of a score. A `Ladder` is a value: `LADDER.replace(binding=0.9)` is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Literal, get_args

from service.risk.numbers import number

AgreementType = Literal[
    "trade_agreement",
    "executive_agreement",
    "framework",
    "action_plan",
    "strategic_partnership",
    "memorandum",
    "letter_of_intent",
    "joint_statement",
    "forum",
    "relief",
]
Binding = Literal["yes", "no", "not_stated"]
AgreementStatus = Literal["pending", "signed", "in_force", "suspended", "ended"]
"""How an agreement stands on a day; `pending` is not yet signed."""


class Tier(IntEnum):
    """What an agreement amounts to between a buyer and a country, strongest tie first."""

    HOME = 0
    SINGLE_MARKET = 1
    BINDING = 2
    BINDING_SIGNED = 3
    PROGRAMME = 4
    MEMORANDUM = 5
    FORUM = 6
    NONE = 7

    @property
    def label(self) -> str:
        """The tier's name outside the core: `binding_signed`."""
        return self.name.lower()

    @property
    def description(self) -> str:
        """What the tier holds, in words."""
        return _TIER_DESCRIPTIONS[self]


_TIER_DESCRIPTIONS: Mapping[Tier, str] = {
    Tier.HOME: "the buyer itself, or a member of the buying bloc",
    Tier.SINGLE_MARKET: "the same customs union or single market",
    Tier.BINDING: "a binding agreement in force",
    Tier.BINDING_SIGNED: "a binding agreement, signed and not in force",
    Tier.PROGRAMME: "a non-binding agreement with a concrete programme (framework, action plan, strategic partnership)",
    Tier.MEMORANDUM: "a non-binding memorandum or letter of intent",
    Tier.FORUM: "a forum or joint statement",
    Tier.NONE: "no agreement, or one that is expired, suspended or terminated",
}


class RestrictionType(IntEnum):
    """A country's way of holding exports back, NONE where there is none."""

    NONE = 0
    LICENCE = 1
    TAX = 2
    QUOTA = 3
    BAN = 4

    @property
    def label(self) -> str:
        """The restriction's name outside the core: `licence`."""
        return self.name.lower()

    @property
    def description(self) -> str:
        """What the restriction does, in words."""
        return _RESTRICTION_DESCRIPTIONS[self]


_RESTRICTION_DESCRIPTIONS: Mapping[RestrictionType, str] = {
    RestrictionType.NONE: "no restriction",
    RestrictionType.LICENCE: "exports need a licence",
    RestrictionType.TAX: "exports are taxed; a rate the source gives takes the place of this value",
    RestrictionType.QUOTA: "exports are limited in amount",
    RestrictionType.BAN: "exports are forbidden",
}

BUCKETS = ("home", "single_market", "binding", "programme", "memorandum", "forum", "none", "unreported")
"""How `partner_coverage` splits output by tie. `binding` holds agreements in force and those signed: what both have in
common, and no other tier has, is that the parties bound themselves."""

BUCKET_OF_TIER = tuple(tier.label.removesuffix("_signed") for tier in Tier)

STRONGEST_RESTRICTION = 3.0
"""The largest restriction factor accepted: twice the largest the EU printed (1.5)."""


def tier_of(agreement: AgreementType, binding: Binding, status: AgreementStatus) -> Tier:
    """The tier of one agreement by its type, bindingness and status.

    Bindingness that is not stated takes the weaker tier. A relief lifts restrictions and ties nobody.
    """
    if agreement == "relief" or status not in ("signed", "in_force"):
        return Tier.NONE
    if binding == "yes":
        return Tier.BINDING if status == "in_force" else Tier.BINDING_SIGNED
    if agreement in ("memorandum", "letter_of_intent"):
        return Tier.MEMORANDUM
    if agreement in ("joint_statement", "forum"):
        return Tier.FORUM
    return Tier.PROGRAMME


def partner_factor(tau: float, r: float = 1.0, rho: float = 0.0) -> float:
    """t = τ·(1 + (r − 1)(1 − ρ)) for one country; τ 0..1, r from 1, ρ 0..1."""
    number("tau", tau, 0, 1)
    number("r", r, 1, STRONGEST_RESTRICTION)
    number("rho", rho, 0, 1)
    return tau * (1 + (r - 1) * (1 - rho))


Reading = Literal["low", "central", "high"]
READINGS: tuple[Reading, ...] = get_args(Reading)
"""How a step of the ladder can be read."""


@dataclass(frozen=True)
class Step:
    """One step of the ladder: its central value and how low and how high it could be argued to be."""

    central: float
    low: float
    high: float

    def __post_init__(self) -> None:
        if 0 <= self.low <= self.central <= self.high <= STRONGEST_RESTRICTION:
            return
        for value in (self.central, self.low, self.high):
            number("a ladder step", value, 0, STRONGEST_RESTRICTION)
        raise ValueError(f"a ladder step needs low ≤ central ≤ high, got {self.low} {self.central} {self.high}")

    @classmethod
    def exactly(cls, value: float) -> Step:
        """A step that is certain."""
        return cls(value, value, value)


STEPS = (*(tier.label for tier in Tier), *(kind.label for kind in RestrictionType if kind))
"""The names of the ladder's steps: ties first, then restrictions."""

_OWN = {
    "home": Step(0.00, 0.00, 0.00),
    "single_market": Step(0.80, 0.80, 0.80),
    "binding": Step(0.85, 0.80, 1.00),
    "binding_signed": Step(0.95, 0.85, 1.00),
    "programme": Step(0.97, 0.90, 1.00),
    "memorandum": Step(0.98, 0.95, 1.00),
    "forum": Step(0.99, 0.97, 1.00),
    "none": Step(1.00, 1.00, 1.00),
    "licence": Step(1.1, 1.1, 1.1),
    "tax": Step(1.2, 1.1, 1.3),
    "quota": Step(1.3, 1.3, 1.3),
    "ban": Step(1.5, 1.5, 1.5),
}
"""The method's own steps."""

_TIERS = tuple(Tier)
_OWN_STEPS = tuple(_OWN[name] for name in STEPS)
_PLACE = {name: place for place, name in enumerate(STEPS)}


@dataclass(frozen=True)
class Ladder:
    """A value of τ for every tier and of r for every restriction, in the order of `STEPS`; else the method's own.

    The tiers need not fall in order: an override may value a memorandum above a forum or below it. ValueError where
    a τ leaves 0..1 or an r leaves 1..3.
    """

    steps: tuple[Step, ...] = _OWN_STEPS

    def __post_init__(self) -> None:
        for place in self.changed:
            step = self.steps[place]
            if place < len(_TIERS):
                number(f"the tie {STEPS[place]}", step.high, 0, 1)
            else:
                number(f"the restriction {STEPS[place]}", step.low, 1, STRONGEST_RESTRICTION)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Worked out once: a ladder is part of the key of whatever is kept of scores."""
        return hash(tuple([(place, self.steps[place].central) for place in self.changed]))

    def tau(self, tier: Tier) -> Step:
        """The strength of a tie, 0 = as good as home and 1 = no tie."""
        return self.steps[tier]

    def r(self, restriction: RestrictionType, rate: float | None = None) -> Step:
        """The strength of a restriction: the `rate` its source gives, else the ladder's own value."""
        if rate is not None:
            return Step.exactly(number("a restriction's rate", rate, 1, STRONGEST_RESTRICTION))
        if restriction is RestrictionType.NONE:
            return Step.exactly(1.0)
        return self.steps[len(Tier) + restriction - 1]

    def replace(self, **values: float | Step) -> Ladder:
        """This ladder with some steps of another value; a bare number is certain (low = central = high)."""
        unknown = sorted(values.keys() - _PLACE.keys())
        if unknown:
            raise ValueError(f"the ladder has no step {', '.join(unknown)}; its steps are {', '.join(STEPS)}")
        steps = list(self.steps)
        for name, value in values.items():
            steps[_PLACE[name]] = value if isinstance(value, Step) else Step.exactly(value)
        return Ladder(tuple(steps))

    @cached_property
    def changed(self) -> tuple[int, ...]:
        """The places in `STEPS` of the steps that have another value than the method's own."""
        pairs = enumerate(zip(self.steps, _OWN_STEPS, strict=True))
        return tuple([place for place, (step, own) in pairs if step is not own and step != own])

    def on(self, places: Collection[int]) -> Ladder:
        """The ladder that is this one on some steps, by their place in `STEPS`, and the method's own on all others.

        Where only these steps count, ladders that agree on them are one.
        """
        counts = [place for place in self.changed if place in places]
        if len(counts) == len(self.changed):
            return self
        return LADDER.replace(**{STEPS[place]: self.steps[place] for place in counts}) if counts else LADDER

    @cached_property
    def by_worth(self) -> tuple[Tier, ...]:
        """The ties by what they are worth under this ladder, the best first; of equals the one higher on the ladder."""
        values = [step.central for step in self.steps]
        return tuple(sorted(_TIERS, key=values.__getitem__))

    @cached_property
    def order(self) -> tuple[object, ...]:
        """All that decides which of several ties is the best and which of several restrictions the strongest."""
        return (self.by_worth, *[step.central for step in self.steps[len(_TIERS) :]])


LADDER = Ladder()
"""The ladder of `partner-adjusted` version 1."""
