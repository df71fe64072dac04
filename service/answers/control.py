"""Who controls the output of a stage and what of it is committed, as the wire contract has it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from schemas.score import Holding
from service.answers.rounding import share
from service.world.attribution import Attribution, Kind, available_to_market, figures
from service.world.standing import ties_on

if TYPE_CHECKING:
    from datetime import date

    from service.world.rows import Control, Stage
    from service.world.world import World

FLAGS = {
    "no_control_data": "no source says who controls capacity here; it counts as its host's own, as by territory",
    "control_partly_known": "the sources say for some hosts only who controls their capacity; the others' is their own",
}


@dataclass(frozen=True)
class StageControl:
    """What the ledger knows of control over a mineral's stage on a day."""

    world: World
    mineral: str
    stage: Stage
    as_of: date

    @cached_property
    def _shares(self) -> dict[str, float]:
        found = self.world.share_set(self.mineral, self.stage, self.as_of)
        return found.by_country if found else {}

    def _figures(self, kind: Kind) -> dict[str, tuple[Control, ...]]:
        found = figures(self.world, self.mineral, self.stage, kind, self.as_of)
        return {host: rows for host, rows in found.items() if self._shares.get(host)}

    def _told(self, kind: Kind) -> list[Holding]:
        return [
            Holding(
                host=host,
                controller=row.controller,
                part=share(row.share or 0.0),
                share=share((row.share or 0.0) * self._shares[host]),
                year=row.year,
                source=row.source,
                evidence_level=row.evidence_level,
            )
            for host, rows in sorted(self._figures(kind).items())
            for row in rows
        ]

    @cached_property
    def ownership(self) -> list[Holding]:
        """The capacity in named hosts that others own."""
        return self._told("ownership")

    @cached_property
    def offtake(self) -> list[Holding]:
        """The output of named hosts that is committed."""
        return self._told("offtake")

    def available(self, buyer: str) -> float | None:
        """The part of output that is named and not committed to others than a buyer; None without figures."""
        shares = self.world.share_set(self.mineral, self.stage, self.as_of)
        if shares is None or not self.offtake:
            return None
        buyers = ties_on(self.world, self.as_of).expand(buyer)
        return share(available_to_market(shares, self._figures("offtake"), buyers))

    def flags(self, attribution: Attribution) -> list[str]:
        """What to know of a score by control; nothing to know of one by territory."""
        if attribution == "territory" or not self._shares:
            return []
        hosts = {host for host, part in self._shares.items() if part}
        known = self._figures("ownership").keys()
        return [] if hosts <= known else ["control_partly_known" if known else "no_control_data"]
