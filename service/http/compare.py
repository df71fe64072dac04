"""Methods side by side, and what others have rated."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from schemas.compare import Comparison, Ratings
from schemas.text import SLUG
from service.answers.compare import compare_all, compare_mineral
from service.answers.ratings import ratings
from service.http.names import Buyer, MineralName, find_buyer, find_mineral
from service.http.reads import ViewDependency, answer, read
from service.risk.methods import METHODS

VERSIONS = tuple(f"{method.id} {method.version}" for method in METHODS.values())

MineralChoice = Annotated[
    str | None,
    QueryParameter(
        pattern=SLUG,
        max_length=80,
        description="A mineral's id; without it all minerals are ranked under each method.",
        examples=[Example(value="cobalt")],
    ),
]


class CompareController(Controller):
    """Methods side by side."""

    path = "/v1"
    tags = ["methods"]  # noqa: RUF012 - the framework reads a list

    @read("/compare", "get_comparison", summary="How do the methods agree?")
    async def compare(self, view: ViewDependency, buyer: Buyer, mineral: MineralChoice = None) -> Response[Comparison]:
        """With `mineral`: what each method says of it for the buyer, beside what others have rated it.

        Without: the rank of every mineral under each method, and Spearman's rank correlation of every two methods over
        the minerals both have a value for.
        """
        buyer = find_buyer(view.world, buyer)
        if mineral is None:
            return answer(view, compare_all(view.world, buyer, view.as_of), "compare", buyer, *VERSIONS)
        mineral = find_mineral(view.world, mineral)
        told = compare_mineral(view.world, mineral, buyer, view.as_of)
        return answer(view, told, "compare", buyer, mineral, *VERSIONS)

    @read("/minerals/{mineral:str}/ratings", "get_ratings", tags=["minerals"], summary="What have others rated it?")
    async def ratings(self, view: ViewDependency, mineral: MineralName) -> Response[Ratings]:
        """Published ratings of the mineral by others, as facts with their source, and the official lists it is on.

        The EU's supply risk and economic importance by list year, the British Geological Survey's risk list of 2015
        and the United Kingdom's most critical minerals of 2024. None of them is recomputed here.
        """
        mineral = find_mineral(view.world, mineral)
        return answer(view, ratings(view.world, mineral, view.as_of), "ratings", mineral)
