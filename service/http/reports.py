"""Who controls capacity, what articles claim, and deposits and projects that may supply one day."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import PathParameter, QueryParameter

from schemas.reports import ClaimDetail, ClaimPage, ControlPage, DepositDetail, DepositPage
from schemas.text import CLAIM, CODE, SLUG
from service.answers import reports
from service.http.formats import PagingDependency, page, read_list
from service.http.names import find, find_mineral
from service.http.reads import ViewDependency, answer, read

ClaimName = Annotated[str, PathParameter(pattern=CLAIM, description="A claim's id.", examples=[Example(value="K01")])]
DepositName = Annotated[
    str,
    PathParameter(
        pattern=SLUG, max_length=80, description="A deposit's id.", examples=[Example(value="junin-rare-earths")]
    ),
]
MineralFilter = Annotated[
    str | None,
    QueryParameter(
        pattern=SLUG,
        max_length=80,
        description="Only what is about this mineral, its members or its groups.",
        examples=[Example(value="lithium")],
    ),
]
SourceFilter = Annotated[
    str | None,
    QueryParameter(
        pattern=SLUG,
        max_length=80,
        description="Only claims of this source.",
        examples=[Example(value="avispa-2026-02-24")],
    ),
]
DepositStatus = Annotated[
    Literal["find", "exploration", "planned", "construction", "producing", "suspended"] | None,
    QueryParameter(description="Only deposits of this status.", examples=[Example(value="find")]),
]
HostCountry = Annotated[
    str | None,
    QueryParameter(pattern=CODE, description="Where the capacity is.", examples=[Example(value="IDN")]),
]
DepositCountry = Annotated[
    str | None,
    QueryParameter(pattern=CODE, description="Where the deposit is.", examples=[Example(value="PER")]),
]
ControllerFilter = Annotated[
    str | None,
    QueryParameter(pattern=CODE, description="Who controls it.", examples=[Example(value="CHN")]),
]


class ReportController(Controller):
    """What studies, surveys and articles report beside figures."""

    path = "/v1"

    @read_list("/controls", "list_controls", tags=["controls"], summary="Who controls capacity abroad")
    async def controls(
        self,
        view: ViewDependency,
        paging: PagingDependency,
        mineral: MineralFilter = None,
        country: HostCountry = None,
        controller: ControllerFilter = None,
    ) -> Response[ControlPage]:
        """Control of a country's capacity by another one, by ownership or offtake.

        What is not named counts as the host's own; where nothing is on record, control and territory agree.
        """
        world = view.world
        for name, code in (("country", country), ("controller", controller)):
            if code is not None:
                find(world.countries, code, name, "country")
        meant = None if mineral is None else world.touched(find_mineral(world, mineral))
        chosen = [
            control
            for control in world.controls
            if (meant is None or control.mineral in meant)
            and (country is None or control.host == country)
            and (controller is None or control.controller == controller)
        ]
        return page(view, paging, chosen, reports.control_item, "controls", mineral, country, controller)

    @read_list("/claims", "list_claims", tags=["claims"], summary="All claims")
    async def claims(
        self, view: ViewDependency, paging: PagingDependency, source: SourceFilter = None
    ) -> Response[ClaimPage]:
        """Statements of articles, by id, as they were made, with the evidence that represents each."""
        if source is not None:
            find(view.world.sources, source, "source", "source")
        chosen = [claim for claim in view.world.claims.values() if source is None or claim.source == source]
        return page(view, paging, chosen, reports.claim_item, "claims", source)

    @read("/claims/{claim:str}", "get_claim", tags=["claims"], summary="One claim")
    async def claim(self, view: ViewDependency, claim: ClaimName) -> Response[ClaimDetail]:
        """A statement of an article and where the evidence that represents it is shown."""
        found = find(view.world.claims, claim, "claim", "claim")
        detail = ClaimDetail(
            **view.stamp,
            claim=reports.claim_item(found),
            evidence=[reports.evidence_ref(view.world, entry) for entry in found.shown_in],
        )
        return answer(view, detail, "claim", claim)

    @read_list("/deposits", "list_deposits", tags=["deposits"], summary="All deposits and projects")
    async def deposits(
        self,
        view: ViewDependency,
        paging: PagingDependency,
        mineral: MineralFilter = None,
        country: DepositCountry = None,
        status: DepositStatus = None,
    ) -> Response[DepositPage]:
        """Deposits and projects by id: potential supply, with its caveats. No score counts them."""
        world = view.world
        if country is not None:
            find(world.countries, country, "country", "country")
        meant = None if mineral is None else world.touched(find_mineral(world, mineral))
        chosen = [
            deposit
            for deposit in world.deposits.values()
            if (meant is None or not meant.isdisjoint(deposit.minerals))
            and (country is None or deposit.country == country)
            and (status is None or deposit.status == status)
        ]
        return page(view, paging, chosen, reports.deposit_item, "deposits", mineral, country, status)

    @read("/deposits/{deposit:str}", "get_deposit", tags=["deposits"], summary="One deposit")
    async def deposit(self, view: ViewDependency, deposit: DepositName) -> Response[DepositDetail]:
        """A deposit or project with what its source says of it and its caveats."""
        found = find(view.world.deposits, deposit, "deposit", "deposit")
        return answer(view, DepositDetail(**view.stamp, deposit=reports.deposit_item(found)), "deposit", deposit)
