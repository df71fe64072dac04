"""Path and query parameters that name something in the World, and the refusal when nothing has the name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, TypeVar

from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from schemas.text import BUYER, CODE, PARTY, SLUG
from service.http.problems import NotFound, fault_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from service.world.world import World

T = TypeVar("T")

MineralName = Annotated[
    str, PathParameter(pattern=SLUG, max_length=80, description="A mineral's id.", examples=[Example(value="cobalt")])
]
CountryCode = Annotated[
    str, PathParameter(pattern=CODE, description="ISO 3166 alpha-3.", examples=[Example(value="PER")])
]
BlocName = Annotated[
    str, PathParameter(pattern=PARTY, max_length=40, description="A bloc's id.", examples=[Example(value="EU")])
]
Buyer = Annotated[
    str,
    QueryParameter(
        pattern=BUYER,
        max_length=400,
        description="Who buys: a country (ISO 3166 alpha-3), a bloc's id, or a coalition of several, `CAN,USA`. That is"
        " read as a bloc is: every member is home, and elsewhere the weakest tie any member has counts.",
        examples=[Example(value="USA")],
    ),
]


def find(known: Mapping[str, T], name: str, parameter: str, what: str) -> T:
    """The thing of that name. Raises NotFound naming the parameter and the closest names there are."""
    try:
        return known[name]
    except KeyError:
        raise _unknown(known, name, parameter, what) from None


def _unknown(known: Mapping[str, object], name: str, parameter: str, what: str) -> NotFound:
    near = [each for each in (name.upper(), name.lower()) if each in known]
    near = near or get_close_matches(name, known, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    detail = f"no {what} is called {name!r}{hint}"
    return NotFound(detail, fault_in(parameter, detail))


def find_mineral(world: World, name: str) -> str:
    """A mineral's id. Raises NotFound, telling the id of a mineral that goes by the name given."""
    if name in world.minerals:
        return name
    folded = name.replace("-", " ").casefold()
    for mineral in world.minerals.values():
        if folded in (alias.casefold() for alias in (mineral.name_en, mineral.name_de, *mineral.aliases)):
            detail = f"no mineral has the id {name!r}; {mineral.name_en} is {mineral.id!r}"
            raise NotFound(detail, fault_in("mineral", detail))
    raise _unknown(world.minerals, name, "mineral", "mineral")


def _unknown_buyer(world: World, name: str, parameter: str) -> NotFound:
    """The refusal of a buyer's name, telling the code of a country that goes by it."""
    folded = name.casefold()
    for country in world.countries.values():
        names = (country.alpha_2, country.name, country.official_name, *country.aliases)
        if folded in (alias.casefold() for alias in names):
            detail = f"no country or bloc is called {name!r}; {country.name} is {country.code!r}"
            return NotFound(detail, fault_in(parameter, detail))
    return _unknown({**world.countries, **world.blocs}, name, parameter, "country or bloc")


def find_buyer(world: World, name: str, parameter: str = "buyer") -> str:
    """A country's or bloc's id, or those of a coalition in alphabetical order. Raises NotFound."""
    parts = sorted(set(name.split(",")))
    for part in parts:
        if part not in world.countries and part not in world.blocs:
            raise _unknown_buyer(world, part, parameter)
        if len(parts) > 1 and part in world.blocs and all(row.bloc != part for row in world.memberships):
            detail = f"{part} has no recorded members that could be part of a coalition"
            raise NotFound(detail, fault_in(parameter, detail))
    return ",".join(parts)
