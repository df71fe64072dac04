"""Our values against those that the authors of a method have published, row by row, over all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from service.methods.verification import eu_crm, geopolrisk
from service.methods.verification.case import VERDICTS, Case, known_mismatches
from service.risk.methods import METHODS

if TYPE_CHECKING:
    from service.world.world import World

_CASES: Mapping[str, Callable[[World], Iterable[Case]]] = {"eu-crm": eu_crm.cases, "geopolrisk": geopolrisk.cases}

UNPUBLISHED: Mapping[str, str] = {
    "partner-adjusted": "This project's own score: nobody else prints it. With the EU's trade parameters in place of"
    " the ladder and the EU's own supply beside the world's it gives 100 · √(SR core / 10) of eu-crm for every"
    " material; a test holds it to that.",
    "hhi": "No author prints a table of it; the tests hold its formula to worked vectors.",
    "n-1": "The agency that uses it prints it for 2035 from projections that are not in the ledger.",
    "available-to-market": "Its authors print it for zinc from domestic use that is not in the ledger.",
}
"""Methods without a table to verify against, and why."""


def verify(world: World, method: str | None = None, vintage: int | None = None) -> list[Case]:
    """Every row of every verification, or of one method or vintage, in the order of the published tables."""
    wanted = [name for name in METHODS if name in _CASES and method in (None, name)]
    found = (case for name in wanted for case in _CASES[name](world))
    return [case for case in found if vintage in (None, case.key.vintage)]


__all__ = ["UNPUBLISHED", "VERDICTS", "Case", "known_mismatches", "verify"]
