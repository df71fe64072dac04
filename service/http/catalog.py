"""Minerals, countries, blocs and sources: what the ledger knows beside scores."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from schemas.catalog import (
    BlocDetail,
    BlocPage,
    CountryDetail,
    CountryPage,
    MineralDetail,
    MineralPage,
    SourceDetail,
    SourcePage,
)
from schemas.text import SLUG
from service.answers import catalog
from service.http.formats import PagingDependency, page, read_list
from service.http.names import BlocName, CountryCode, MineralName, find, find_mineral
from service.http.reads import ViewDependency, answer, read
from service.http.scores import ListName, on_list

GroupName = Annotated[
    str | None,
    QueryParameter(max_length=80, description="Only minerals of this group.", examples=[Example(value="rare earths")]),
]
SourceName = Annotated[
    str,
    PathParameter(
        pattern=SLUG,
        max_length=80,
        description="A source's id.",
        examples=[Example(value="usgs-mcs-2026")],
    ),
]


class CatalogController(Controller):
    """The things the ledger knows by name."""

    path = "/v1"

    @read_list("/minerals", "list_minerals", tags=["minerals"], summary="All minerals")
    async def minerals(
        self,
        view: ViewDependency,
        paging: PagingDependency,
        list: ListName = None,  # noqa: A002 - the parameter's public name
        group: GroupName = None,
    ) -> Response[MineralPage]:
        """All minerals, by id; `list` and `group` narrow the choice."""
        listed = None if list is None else on_list(view, list)
        chosen = [
            mineral
            for mineral in view.world.minerals.values()
            if (listed is None or mineral.id in listed) and (group is None or mineral.group == group)
        ]
        return page(
            view, paging, chosen, lambda m: catalog.mineral_item(view.world, m, view.as_of), "minerals", list, group
        )

    @read("/minerals/{mineral:str}", "get_mineral", tags=["minerals"], summary="One mineral")
    async def mineral(self, view: ViewDependency, mineral: MineralName) -> Response[MineralDetail]:
        """A mineral with its names, uses, lists, reserves and every share set on record, the chosen one marked."""
        found = view.world.minerals[find_mineral(view.world, mineral)]
        return answer(view, catalog.mineral_detail(view.world, found, view.as_of), "mineral", mineral)

    @read_list("/countries", "list_countries", tags=["countries"], summary="All countries")
    async def countries(self, view: ViewDependency, paging: PagingDependency) -> Response[CountryPage]:
        """All countries, by code, with their blocs and governance on the day."""
        weights = view.world.governance.on(view.as_of)
        return page(
            view,
            paging,
            [*view.world.countries],
            lambda code: catalog.country_item(view.world, code, view.as_of, weights),
            "countries",
        )

    @read("/countries/{country:str}", "get_country", tags=["countries"], summary="One country")
    async def country(self, view: ViewDependency, country: CountryCode) -> Response[CountryDetail]:
        """A country with its names, blocs and governance on the day."""
        find(view.world.countries, country, "country", "country")
        return answer(view, catalog.country_detail(view.world, country, view.as_of), "country", country)

    @read_list("/blocs", "list_blocs", tags=["blocs"], summary="All blocs")
    async def blocs(self, view: ViewDependency, paging: PagingDependency) -> Response[BlocPage]:
        """All blocs, by id, with their members on the day."""
        return page(view, paging, [*view.world.blocs], lambda b: catalog.bloc_item(view.world, b, view.as_of), "blocs")

    @read("/blocs/{bloc:str}", "get_bloc", tags=["blocs"], summary="One bloc")
    async def bloc(self, view: ViewDependency, bloc: BlocName) -> Response[BlocDetail]:
        """A bloc with all its dated memberships."""
        find(view.world.blocs, bloc, "bloc", "bloc")
        return answer(view, catalog.bloc_detail(view.world, bloc, view.as_of), "bloc", bloc)

    @read_list("/sources", "list_sources", tags=["sources"], summary="All sources")
    async def sources(self, view: ViewDependency, paging: PagingDependency) -> Response[SourcePage]:
        """All sources, by id, with licence, attribution and how much of the evidence cites them."""
        return page(view, paging, [*view.world.sources], lambda s: catalog.source_item(view.world, s), "sources")

    @read("/sources/{source:str}", "get_source", tags=["sources"], summary="One source")
    async def source(self, view: ViewDependency, source: SourceName) -> Response[SourceDetail]:
        """A source: one edition of one publication."""
        find(view.world.sources, source, "source", "source")
        detail = SourceDetail(**view.stamp, source=catalog.source_item(view.world, source))
        return answer(view, detail, "source", source)
