"""The methods as they run on a World, and what their results come to beside each other.

engine          what running a method gives
eu_crm, geopolrisk, supply, default   each method fed from the World; eu_studies reads what the first needs
sourcing        the default method with the buyer's own supply
ranks           orders of minerals and how alike they are
verification    our values against those that others have published
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from service.methods import default, eu_crm, geopolrisk, supply
from service.methods.engine import Engine, Valued, Values
from service.risk.methods import METHODS

if TYPE_CHECKING:
    from datetime import date

    from service.world.world import World

_ENGINES = (default.ENGINE, eu_crm.ENGINE, geopolrisk.ENGINE, supply.HHI, supply.N_MINUS_ONE, supply.AVAILABLE)

ENGINES: Mapping[str, Engine] = {name: next(e for e in _ENGINES if e.id == name) for name in METHODS}
"""How each method runs, by its id, the default first."""


def run(world: World, method: str, buyer: str, as_of: date) -> Values:
    """Every mineral's value for a country or bloc on a day."""
    return world.memo.get(("method", method, buyer, as_of), lambda: ENGINES[method].run(world, buyer, as_of))


__all__ = ["ENGINES", "Engine", "Valued", "Values", "run"]
