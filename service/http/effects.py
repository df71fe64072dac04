"""What agreements do to scores: one with all it touches, or all of them for one mineral."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from schemas.effect import AgreementEffect, AgreementParts
from schemas.text import SLUG
from service.answers.contributions import agreement_parts
from service.answers.effect import Effect
from service.http.lens import LadderText, read_ladder
from service.http.names import Buyer, MineralName, find, find_buyer, find_mineral
from service.http.reads import ViewDependency, answer, read
from service.risk.methods.partner_adjusted import ID, VERSION

AgreementName = Annotated[
    str,
    PathParameter(
        pattern=SLUG,
        max_length=80,
        description="An agreement's id.",
        examples=[Example(value="us-argentina-mou-2026")],
    ),
]


class EffectController(Controller):
    """What agreements do to scores."""

    path = "/v1"
    tags = ["agreements"]  # noqa: RUF012 - the framework reads a list

    @read(
        "/agreements/{agreement:str}/effect",
        "get_agreement_effect",
        summary="What does this agreement do to this buyer's scores?",
    )
    async def effect(
        self, view: ViewDependency, agreement: AgreementName, buyer: Buyer, ladder: LadderText = None
    ) -> Response[AgreementEffect]:
        """Every mineral the agreement touches, scored with it and without it on the day.

        The difference is taken before rounding and printed in three digits however small it is, beside its full value.
        Where it is zero the answer says why, and names the tie that stands: ties never stack, so an agreement beside an
        equal or stronger one adds nothing.
        """
        found = find(view.world.agreements, agreement, "agreement", "agreement")
        buyer, steps = find_buyer(view.world, buyer), read_ladder(ladder)
        told = Effect(view.world, found, buyer, view.as_of, steps).told()
        return answer(view, told, ID, VERSION, "effect", agreement, buyer, steps)

    @read(
        "/minerals/{mineral:str}/score/agreements",
        "get_score_agreements",
        summary="What does each agreement contribute to this score?",
    )
    async def contributions(
        self, view: ViewDependency, mineral: MineralName, buyer: Buyer, ladder: LadderText = None
    ) -> Response[AgreementParts]:
        """The score with all agreements and with none, and each agreement's part in the difference.

        The parts sum to the whole: as all agreements begin to count together, each gets the change of the score in
        proportion to its part in the change of H (Aumann and Shapley 1974). No order of them has to be chosen.
        """
        mineral, buyer, steps = find_mineral(view.world, mineral), find_buyer(view.world, buyer), read_ladder(ladder)
        told = agreement_parts(view.world, mineral, buyer, view.as_of, steps)
        return answer(view, told, ID, VERSION, "score agreements", mineral, buyer, steps)
