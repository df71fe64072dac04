"""How a method's values compare with those its authors have published."""

from __future__ import annotations

from litestar import Controller, Response

from schemas.verification import Verification
from service.answers.verification import verification
from service.http.meta import MethodName
from service.http.names import find
from service.http.reads import ViewDependency, answer, read
from service.risk.methods import METHODS


class VerificationController(Controller):
    """Verifications of methods."""

    path = "/v1/methods"
    tags = ["methods"]  # noqa: RUF012 - the framework reads a list

    @read("/{method:str}/verification", "get_verification", summary="Does it give what its authors published?")
    async def verification(self, view: ViewDependency, method: MethodName) -> Response[Verification]:
        """Row by row over all rows: what was published, what is computed from the ledger, their difference, a verdict.

        Mismatches that are known are named as such, with the reason; rows whose published value is not known here are
        predicted. `chokepoint verify` prints the same.
        """
        found = find(METHODS, method, "method", "method")
        told = verification(view.world, found.id, view.as_of)
        return answer(view, told, "verification", found.id, found.version)
