"""One row of a verification: what was published, what is computed, how far they are apart, and the verdict."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from service.world.rows import Stage

Verdict = Literal["exact", "within_rounding", "known_mismatch", "mismatch", "predicted", "not_computable"]

VERDICTS: Mapping[Verdict, str] = {
    "exact": "equal to what is published, at the digits published",
    "within_rounding": "as published once the rounding of the printed inputs is allowed for",
    "known_mismatch": "not as published; named beforehand, with the reason, and unchanged since",
    "mismatch": "not as published, and not named beforehand: an error here or a change of the figures",
    "predicted": "nothing published is known here to compare with",
    "not_computable": "the ledger lacks figures that the method needs",
}
"""Every verdict, and what it means."""

STEADY = 5e-5
"""How far a named mismatch may move before it no longer counts as named: half of its last digit."""


class Key(NamedTuple):
    """What a row is about, with the names of the table it verifies; `stage` is None where that has none."""

    method: str
    vintage: int
    material: str
    stage: Stage | None
    buyer: str


@dataclass(frozen=True)
class Case:
    """One row. `low` and `high` bound what the printed inputs can stand for, where that is known."""

    key: Key
    published: float | None
    computed: float | None
    verdict: Verdict
    reason: str = ""
    group: bool = False
    low: float | None = None
    high: float | None = None

    @property
    def difference(self) -> float | None:
        """Computed less published; None where either is missing."""
        return None if self.published is None or self.computed is None else self.computed - self.published


class Known(NamedTuple):
    """A mismatch that is named: the value it was named at, and why; None for a remark on a row without a mismatch."""

    computed: float | None
    reason: str


@cache
def known_mismatches() -> Mapping[Key, Known]:
    """The reviewed mismatches of known_mismatches.csv."""
    with (Path(__file__).parent / "known_mismatches.csv").open(encoding="utf-8", newline="") as file:
        return {
            Key(row["method"], int(row["vintage"]), row["material"], _stage(row["stage"]), row["buyer"]): Known(
                float(row["computed"]) if row["computed"] else None, row["reason"]
            )
            for row in csv.DictReader(file)
        }


def _stage(printed: str) -> Stage | None:
    stages: Mapping[str, Stage] = {"extraction": "extraction", "processing": "processing"}
    return stages.get(printed)


def judged(
    key: Key,
    published: float | None,
    computed: float | None,
    agrees: Callable[[float, float], bool],
    *,
    missing: str = "",
    group: bool = False,
    bounds: tuple[float, float] | None = None,
) -> Case:
    """A row with its verdict; `agrees` says whether published and computed are equal at the digits published.

    `bounds` are what the rounding of the printed inputs leaves open, the published value's own rounding included.
    """
    known = known_mismatches().get(key)
    verdict = _verdict(known, published, computed, agrees, bounds)
    low, high = bounds if bounds else (None, None)
    reason = missing if verdict == "not_computable" else known.reason if known else ""
    return Case(key, published, computed, verdict, reason, group, low, high)


def _verdict(
    known: Known | None,
    published: float | None,
    computed: float | None,
    agrees: Callable[[float, float], bool],
    bounds: tuple[float, float] | None,
) -> Verdict:
    if computed is None:
        return "not_computable"
    if published is None:
        return "predicted"
    if agrees(published, computed):
        return "exact"
    if bounds is not None and bounds[0] <= published <= bounds[1]:
        return "within_rounding"
    named = known is not None and known.computed is not None and abs(known.computed - computed) <= STEADY
    return "known_mismatch" if named else "mismatch"
