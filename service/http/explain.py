"""How a score comes about: every input, what was considered and not chosen, and all values in between."""

from __future__ import annotations

from litestar import Controller, Response

from schemas.explain import Explanation
from service.answers.explain import explain
from service.answers.score import Account
from service.http.names import Buyer, MineralName, find_buyer, find_mineral
from service.http.reads import ViewDependency, answer, read


class ExplainController(Controller):
    """Scores with all they are made of."""

    path = "/v1"
    tags = ["scores"]  # noqa: RUF012 - the framework reads a list

    @read("/minerals/{mineral:str}/score/explain", "explain_score", summary="Where every number of a score comes from")
    async def explain(self, view: ViewDependency, mineral: MineralName, buyer: Buyer) -> Response[Explanation]:
        """Every input of the default method's score, unrounded: enough to recompute it from this document alone.

        Shares, governance estimates, agreements and restrictions with source, locator, licence and the value as printed
        beside the value as read; those considered and not chosen, and why; and W, g, τ, r, ρ, t, s²·g·t, H and √H.
        """
        mineral = find_mineral(view.world, mineral)
        account = Account.of(view.world, find_buyer(view.world, buyer), view.as_of)
        return answer(view, explain(account, mineral), "explain", mineral, buyer)
