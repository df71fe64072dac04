"""What each agreement contributes to a score, as the wire contract has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.effect import AgreementParts, Part
from service.answers.difference import Compared, Side
from service.answers.ladder import overridden
from service.answers.rounding import seen
from service.answers.score import METHOD, TIES
from service.answers.stamp import stamp
from service.risk.partners import LADDER, Ladder, tier_of
from service.world.contributions import contributions
from service.world.standing import status_on

if TYPE_CHECKING:
    from datetime import date

    from service.world.world import World


def agreement_parts(world: World, mineral: str, buyer: str, as_of: date, ladder: Ladder = LADDER) -> AgreementParts:
    """Each agreement's part in the difference all of them make to a mineral's score."""
    found = contributions(world, mineral, buyer, as_of, ladder)
    compared = Compared(Side(found.without, mineral, as_of), Side(found.as_is, mineral, as_of))
    return AgreementParts(
        **stamp(world, as_of),
        mineral=mineral,
        buyer=buyer,
        method=METHOD,
        ladder=overridden(ladder),
        without_agreements=compared.before.outcome,
        as_is=compared.after.outcome,
        difference=seen(compared.difference),
        difference_unrounded=compared.difference,
        parts=[
            Part(
                agreement=each.agreement.id,
                title=each.agreement.title,
                tie=TIES[tier_of(each.agreement.type, each.agreement.binding, status_on(each.agreement, as_of))],
                countries=list(each.countries),
                points=seen(each.points),
                points_unrounded=each.points,
            )
            for each in found.agreements
            if compared.difference is not None
        ],
    )
