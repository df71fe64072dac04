"""What moves a score, and how it moved: levers and history of one mineral."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import QueryParameter

from schemas.levers import Levers
from service.answers.levers import levers_of
from service.answers.score import METHOD, Account
from service.http.names import Buyer, MineralName, find_buyer, find_mineral
from service.http.reads import ViewDependency, answer, read
from service.http.scores import Level
from service.risk.levers import Others

OthersDo = Annotated[
    Others,
    QueryParameter(
        description="What the other suppliers' shares do while one moves: `held` leaves them as they are, even where"
        " the sum passes 1; `proportional` lets them and the unreported remainder give way in proportion.",
        examples=[Example(value="proportional")],
    ),
]


class LeverController(Controller):
    """What a mineral's score hangs on."""

    path = "/v1/minerals/{mineral:str}/score"
    tags = ["scores"]  # noqa: RUF012 - the framework reads a list

    @read("/levers", "get_levers", summary="What moves this score most?")
    async def levers(
        self,
        view: ViewDependency,
        mineral: MineralName,
        buyer: Buyer,
        others: OthersDo = "held",
        level: Level = 0.9,
    ) -> Response[Levers]:
        """Every supplier's share and partner factor, every country's governance, every agreement and restriction.

        The largest effect comes first, signed, in points of the score: of a figure per 0.01 of it, by the derivative;
        of an agreement or restriction the score with it minus the score without it. With each figure stands how far it
        would have to move for the band to change, and for another stage to bind. Figures of a stage that does not bind
        have no effect; `stage_effect` says what they do to their own stage.
        """
        mineral, buyer = find_mineral(view.world, mineral), find_buyer(view.world, buyer)
        account = Account.of(view.world, buyer, view.as_of, level=level)
        parts = (METHOD.id, METHOD.version, "levers", mineral, buyer, others, level)
        return answer(view, levers_of(account, mineral, others), *parts)
