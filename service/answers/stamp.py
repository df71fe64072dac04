"""What every answer carries: the day it speaks of and the ledger it was read from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date

    from service.world.world import World


def stamp(world: World, as_of: date) -> dict[str, Any]:
    """The fields of `schemas.common.Answer`."""
    return {"as_of": as_of, "known_at": world.revision, "data_version": world.data_version}
