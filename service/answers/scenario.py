"""A scenario worked out: what becomes of output, and every score before and after, as the wire contract has it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from schemas.scenario import BuyerLoss, ChangeNote, Remaining, Result, Scenario, ScenarioAnswer, Supply, Volume
from service.answers.difference import Compared, Side
from service.answers.ladder import overridden
from service.answers.rounding import quantity, seen, share
from service.answers.score import METHOD
from service.answers.stamp import stamp
from service.risk.concentration import n_minus_one
from service.risk.partners import LADDER, Ladder
from service.risk.scenario import growth_needed
from service.world.attribution import attributed
from service.world.scenario import Shock, Worked, work_out
from service.world.scenario.readings import with_steps
from service.world.scenario.supply import unit_of
from service.world.scoring import Scored, score_all
from service.world.studies import printed_as

if TYPE_CHECKING:
    from datetime import date

    from service.world.scenario.state import Shift
    from service.world.world import World

BOUND = (
    "Shocks are bounds of exposure, not forecasts: stocks, idle capacity, substitution, price and time do not enter,"
    " and nobody fills the gap."
)
OF_WHAT_IS_LEFT = (
    "Scores after a loss speak of the output that is left: they may fall although there is less of it. Read them beside"
    " `remaining_output` and `to_replace`."
)
EVERYBODY = "*"
"""What stands for all countries where a volume is a sum."""


@dataclass(frozen=True)
class Played:
    """A scenario on a World: `request` has its day fixed and its buyers known to `worked.after`."""

    world: World
    request: Scenario
    as_of: date
    worked: Worked

    @classmethod
    def of(cls, world: World, request: Scenario, as_of: date) -> Played:
        """Works out the Worlds before and after. Raises ChangeError, and ValueError for a ladder that is none."""
        return cls(world, request, as_of, work_out(world, request.changes, as_of, ladder_of(request)))

    def told(self, id: str | None) -> ScenarioAnswer:  # noqa: A002 - the field's public name
        """The whole answer."""
        return ScenarioAnswer(
            **stamp(self.world, self.as_of),
            id=id,
            method=METHOD,
            attribution=self.request.attribution,
            ladder=overridden(self.worked.ladder),
            changes=self.request.changes,
            notes=[ChangeNote(change=place, note=note) for place, note in self.worked.notes],
            caveats=self._caveats(),
            supply=[_supply(shock) for shock in self.worked.shocks],
            results=[result for buyer in self.request.buyers for result in self._results(buyer)],
        )

    def _caveats(self) -> list[str]:
        shocked = [BOUND, OF_WHAT_IS_LEFT] if any(shock.lost for shock in self.worked.shocks) else [BOUND]
        return [*shocked, *dict.fromkeys(self.worked.caveats)]

    @cached_property
    def _worlds(self) -> tuple[World, World]:
        lens = self.request.attribution
        return attributed(self.worked.before, lens, self.as_of), attributed(self.worked.after, lens, self.as_of)

    def _results(self, buyer: str) -> list[Result]:
        before = score_all(self._worlds[0], buyer, self.as_of, self.worked.ladder)
        after = score_all(self._worlds[1], buyer, self.as_of, self.worked.ladder_after)
        minerals = self.request.minerals or [*self.world.minerals]
        results = (self._result(buyer, mineral, before, after) for mineral in dict.fromkeys(minerals))
        return [result for result in results if result is not None]

    def _result(self, buyer: str, mineral: str, before: Scored, after: Scored) -> Result | None:
        compared = Compared(Side(before, mineral, self.as_of), Side(after, mineral, self.as_of))
        if compared.same and self.request.minerals is None:
            return None
        shocks = [shock for shock in self.worked.shocks if shock.after.mineral == mineral]
        one, other = compared.before.outcome, compared.after.outcome
        nothing_left = any(shock.output == 0 for shock in shocks)
        difference = None if nothing_left else compared.difference
        return Result(
            buyer=buyer,
            mineral=mineral,
            name=self.world.minerals[mineral].name_en,
            before=one,
            after=other,
            difference=seen(difference),
            difference_unrounded=difference,
            interval=None if nothing_left else compared.interval(),
            band_changed=one.band != other.band,
            binding_stage_changed=one.binding_stage != other.binding_stage,
            to_replace=[volume for shock in shocks if (volume := _to_replace(shock))],
            buyer_loss=[loss for shock in shocks if (loss := self._buyer_loss(buyer, shock))],
            no_output_left=nothing_left,
            stages=[stage for stage in compared.stages() if stage.difference != 0],
        )

    def _buyer_loss(self, buyer: str, shock: Shock) -> BuyerLoss | None:
        """What a buyer gets from where output is lost, by the newest source that says where it gets it."""
        stage, studies = shock.before.stage, self.world.studies
        names = list(printed_as(self.world.minerals, shock.before.mineral, stage))
        mix = next((mix for name in names if (mix := studies.mix_of((buyer, name, stage), self.as_of))), None)
        fractions: dict[str, float] = {}
        for shift in shock.shifts:
            fractions[shift.country] = fractions.get(shift.country, 0.0) + shift.fraction
        if mix is None or not any(fractions.values()):
            return None
        reliances = (studies.reliance_of((buyer, name, stage), self.as_of) for name in names)
        reliance = next((row.reliance for row in reliances if row), None)
        return BuyerLoss(
            mineral=mix.rows[0].mineral,
            stage=stage,
            of=mix.rows[0].of,
            share=share(sum((row.share or 0.0) * fractions.get(row.country, 0.0) for row in mix.rows)),
            import_reliance=share(reliance),
            source=mix.source.id,
            period=mix.label,
        )


def ladder_of(request: Scenario) -> Ladder:
    """The ladder a scenario starts from. Raises ValueError."""
    return with_steps(LADDER, request.ladder)


def _supply(shock: Shock) -> Supply:
    unit, total = unit_of(shock.before)
    named = max(1.0, shock.before.named)
    largest = float(shock.after.shares.max(initial=0.0))
    return Supply(
        mineral=shock.before.mineral,
        stage=shock.before.stage,
        source=shock.before.source.id,
        reference_year=shock.before.reference_year,
        unit=unit,
        world_quantity=total,
        lost=[_volume(shift) for shift in shock.shifts if shift.kind == "lost"],
        added=[_volume(shift) for shift in shock.shifts if shift.kind == "added"],
        moved=[_volume(shift) for shift in shock.shifts if shift.kind == "moved" and (shift.amount or 0) > 0],
        to_replace=_to_replace(shock),
        remaining_output=share(shock.output),
        growth_needed=share(growth_needed(shock.lost, shock.output)),
        n_minus_one=share(n_minus_one(named, min(shock.lost, named), demand=named)),
        n_minus_one_after=share(shock.output * n_minus_one(1.0, min(largest, 1.0), demand=1.0)),
        suppliers=[
            Remaining(
                country=row.country, share_of_former_output=share(row.share * shock.output), share=share(row.share)
            )
            for row in shock.after.rows
            if row.share is not None
        ],
    )


def _volume(shift: Shift) -> Volume:
    known = None if shift.amount is None else abs(shift.amount)
    return Volume(country=shift.country, share=share(known), quantity=quantity(shift.quantity))


def _to_replace(shock: Shock) -> Volume | None:
    lost = [shift for shift in shock.shifts if shift.kind == "lost"]
    if not lost:
        return None
    known = all(shift.amount is not None for shift in lost)
    amounts = [shift.quantity for shift in lost if shift.quantity is not None]
    return Volume(
        country=EVERYBODY,
        share=share(shock.lost) if known else None,
        quantity=quantity(sum(amounts)) if len(amounts) == len(lost) else None,
    )
