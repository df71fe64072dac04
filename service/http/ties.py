"""Agreements and restrictions: what stands between buyers and suppliers."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from schemas.catalog import AgreementDetail, AgreementPage, RestrictionDetail, RestrictionPage
from schemas.text import CODE, PARTY, SLUG
from service.answers import catalog
from service.http.formats import PagingDependency, page, read_list
from service.http.names import find, find_buyer, find_mineral
from service.http.reads import ViewDependency, answer, read
from service.world.standing import Ties

AgreementName = Annotated[
    str,
    PathParameter(
        pattern=SLUG, max_length=80, description="An agreement's id.", examples=[Example(value="us-peru-mou-2026")]
    ),
]
RestrictionName = Annotated[
    str,
    PathParameter(
        pattern=SLUG,
        max_length=80,
        description="A restriction's id.",
        examples=[Example(value="chn-licence-gallium-2023")],
    ),
]
PartyName = Annotated[
    str | None,
    QueryParameter(
        pattern=PARTY,
        max_length=40,
        description="A country or bloc; a country also finds what its blocs have signed.",
        examples=[Example(value="PER")],
    ),
]
MineralFilter = Annotated[
    str | None,
    QueryParameter(
        pattern=SLUG, max_length=80, description="Only what covers this mineral.", examples=[Example(value="lithium")]
    ),
]
AgreementStatus = Annotated[
    Literal["pending", "signed", "in_force", "suspended", "ended"] | None,
    QueryParameter(description="Only those with this status on the day.", examples=[Example(value="signed")]),
]
Binding = Annotated[
    Literal["yes", "no", "not_stated"] | None,
    QueryParameter(description="Only those of this bindingness.", examples=[Example(value="yes")]),
]
ProvisionName = Annotated[
    str | None,
    QueryParameter(
        pattern=r"^[a-z_]{1,40}$", description="Only those with this provision.", examples=[Example(value="finance")]
    ),
]
CountryFilter = Annotated[
    str | None,
    QueryParameter(pattern=CODE, description="The restricting country.", examples=[Example(value="CHN")]),
]
BuyerFilter = Annotated[
    str | None,
    QueryParameter(
        pattern=PARTY,
        max_length=40,
        description="Only restrictions that hit this buyer.",
        examples=[Example(value="USA")],
    ),
]
RestrictionStatus = Annotated[
    Literal["pending", "in_force", "suspended", "ended"] | None,
    QueryParameter(description="Only those with this status on the day.", examples=[Example(value="in_force")]),
]


class TieController(Controller):
    """Agreements and restrictions as they stand on a day."""

    path = "/v1"

    @read_list("/agreements", "list_agreements", tags=["agreements"], summary="All agreements")
    async def agreements(
        self,
        view: ViewDependency,
        paging: PagingDependency,
        party: PartyName = None,
        mineral: MineralFilter = None,
        status: AgreementStatus = None,
        binding: Binding = None,
        provision: ProvisionName = None,
    ) -> Response[AgreementPage]:
        """Agreements by id, with their status on the day and the rung of the ladder they amount to."""
        world = view.world
        if party is not None:
            find_buyer(world, party, "party")
        if mineral is not None:
            find_mineral(world, mineral)
        ties = Ties(world, view.as_of)
        items = [
            catalog.agreement_item(world, agreement, view.as_of)
            for agreement in world.agreements.values()
            if (party is None or any(party == p or party in ties.expand(p) for p in agreement.parties))
            and (mineral is None or mineral in ties.covered(agreement, party or ""))
        ]
        chosen = [
            item
            for item in items
            if (status is None or item.status == status)
            and (binding is None or item.binding == binding)
            and (provision is None or provision in item.provisions)
        ]
        return page(view, paging, chosen, lambda a: a, "agreements", party, mineral, status, binding, provision)

    @read("/agreements/{agreement:str}", "get_agreement", tags=["agreements"], summary="One agreement")
    async def agreement(self, view: ViewDependency, agreement: AgreementName) -> Response[AgreementDetail]:
        """An agreement with its parties, dates, scope, provisions and the evidence for them."""
        found = find(view.world.agreements, agreement, "agreement", "agreement")
        detail = AgreementDetail(
            **view.stamp,
            agreement=catalog.agreement_item(view.world, found, view.as_of),
            provisions=[catalog.provision_item(clause) for clause in view.world.provisions.get(agreement, ())],
        )
        return answer(view, detail, "agreement", agreement)

    @read_list("/restrictions", "list_restrictions", tags=["restrictions"], summary="All restrictions")
    async def restrictions(
        self,
        view: ViewDependency,
        paging: PagingDependency,
        country: CountryFilter = None,
        mineral: MineralFilter = None,
        buyer: BuyerFilter = None,
        status: RestrictionStatus = None,
    ) -> Response[RestrictionPage]:
        """Export restrictions by id, with their status on the day and their strength r."""
        world = view.world
        if country is not None:
            find(world.countries, country, "country", "country")
        if mineral is not None:
            find_mineral(world, mineral)
        if buyer is not None:
            find_buyer(world, buyer)
        ties = Ties(world, view.as_of)
        chosen = [
            restriction
            for restriction in world.restrictions.values()
            if (country is None or restriction.country == country)
            and (mineral is None or mineral in world.touched(restriction.mineral))
            and (buyer is None or ties.hits(restriction, buyer))
            and (status is None or catalog.restriction_status(restriction, view.as_of) == status)
        ]
        return page(
            view,
            paging,
            chosen,
            lambda r: catalog.restriction_item(r, view.as_of),
            "restrictions",
            country,
            mineral,
            buyer,
            status,
        )

    @read("/restrictions/{restriction:str}", "get_restriction", tags=["restrictions"], summary="One restriction")
    async def restriction(self, view: ViewDependency, restriction: RestrictionName) -> Response[RestrictionDetail]:
        """An export restriction with its stages, targets, dates and source."""
        found = find(view.world.restrictions, restriction, "restriction", "restriction")
        detail = RestrictionDetail(**view.stamp, restriction=catalog.restriction_item(found, view.as_of))
        return answer(view, detail, "restriction", restriction)
