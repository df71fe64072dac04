"""What running a method on a World gives: a value per mineral, and everything it was computed from.

Every method has a scale of its own, so a value always goes with its `unit`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from datetime import date

    from service.world.rows import Stage
    from service.world.world import World


@dataclass(frozen=True)
class Term:
    """A number that enters a value, or a fact that decides how it is computed.

    `text` is the number as its source prints it, or the fact in words; `value` is None where it is not known.
    """

    name: str
    value: float | None
    unit: str = ""
    text: str = ""
    source: str = ""
    locator: str = ""


@dataclass(frozen=True)
class Supply:
    """A country's part in a mix: contribution = amount² · weight · factor, or as the mix's `formula` says.

    None is not known, and then it adds nothing.
    """

    country: str
    amount: float | None
    weight: float | None = None
    factor: float | None = None
    contribution: float = 0.0


MixKind = Literal["world_supply", "own_supply", "world_production", "imports", "available_supply"]


@dataclass(frozen=True)
class MixUsed:
    """A mix of suppliers that enters a value: what the amounts are of and in which unit, and what they come to."""

    of: MixKind
    source: str
    period: str
    unit: str
    formula: str
    total: float
    suppliers: tuple[Supply, ...]


@dataclass(frozen=True)
class StageValue:
    """A method's value of one stage; `stage` is None where the method does not tell stages apart."""

    stage: Stage | None
    value: float | None
    reasons: tuple[str, ...] = ()
    """Why there is no value."""
    period: str | None = None
    sources: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    mixes: tuple[MixUsed, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Valued:
    """A method's value of one mineral: that of its stage with the highest."""

    mineral: str
    value: float | None
    stage: Stage | None
    stages: tuple[StageValue, ...]
    reasons: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    """What concerns the mineral and no stage alone."""
    flags: tuple[str, ...] = ()

    @classmethod
    def of_stages(cls, mineral: str, stages: tuple[StageValue, ...]) -> Valued:
        """The highest of the stages' values; of equals the first."""
        known = [stage for stage in stages if stage.value is not None]
        if not known:
            return cls(mineral, None, None, stages, _reasons(stages))
        binding = max(known, key=lambda stage: stage.value or 0.0)
        flags = ("understated",) if len(known) < len(stages) else ()
        return cls(mineral, binding.value, binding.stage, stages, flags=flags)


def _reasons(stages: tuple[StageValue, ...]) -> tuple[str, ...]:
    told = (f"{stage.stage}: {reason}" if stage.stage else reason for stage in stages for reason in stage.reasons)
    return tuple(dict.fromkeys(told)) or ("the ledger has nothing on this mineral that the method could use",)


Values = Mapping[str, Valued]
"""Every mineral of a World, by its id."""


@dataclass(frozen=True)
class Engine:
    """A method that can be run: its id, the unit of its values and what one stands for, and how to get them."""

    id: str
    unit: str
    meaning: str
    run: Callable[[World, str, date], Values]
