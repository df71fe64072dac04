"""How much work a scenario's changes ask for, counted before any of them is made."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from schemas.change import BringIntoForce, DefineBloc, ImposeRestriction, LiftRestriction, NewAgreement, Sign
from service.world.scenario.state import ChangeError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.change import Change
    from service.world.world import World

MOST_PAIRS: Final = 100_000
"""Pairs of an agreement or restriction and a country it concerns that the changes of a scenario may make. A ban by one
country on everything for everybody makes some 25,000."""


def refuse_overmuch(world: World, changes: Sequence[Change]) -> None:
    """Raises ChangeError for the change with which the pairs become more than MOST_PAIRS."""
    sizes = Counter(row.bloc for row in world.memberships)
    sizes |= Counter({each.id: len(each.members) for each in changes if isinstance(each, DefineBloc)})
    restricted = Counter(row.country for row in world.restrictions.values())
    pairs = 0
    for place, change in enumerate(changes):
        everybody = len(world.countries)
        match change:
            case (
                Sign(agreement=NewAgreement(parties=parties)) | BringIntoForce(agreement=NewAgreement(parties=parties))
            ):
                pairs += _countries(parties, sizes)
            case ImposeRestriction(country=country, minerals=minerals, buyers=buyers):
                pairs += len(minerals) * (_countries(buyers, sizes) if buyers else everybody)
                restricted[country] += len(minerals)
            case LiftRestriction(country=country, buyers=buyers) if buyers:  # what is left of each names the others
                pairs += restricted[country] * everybody
            case _:
                pass
        if pairs > MOST_PAIRS:
            detail = f"with it agreements and restrictions concern {pairs:,} countries in all; at most {MOST_PAIRS:,}"
            raise ChangeError("", detail, place)


def _countries(parties: Iterable[str], sizes: Counter[str]) -> int:
    return sum(sizes.get(party, 1) for party in parties)
