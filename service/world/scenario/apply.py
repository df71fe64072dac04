"""From a list of changes to the Worlds before and after them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from schemas import change as changes_of
from service.risk.partners import LADDER, Ladder
from service.world.scenario import agreements, readings, restrictions, supply
from service.world.scenario.state import ChangeError, State
from service.world.scenario.supply import Shock
from service.world.scenario.work import refuse_overmuch
from service.world.sheet import share_sheet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from service.world.world import World

_DONE_BY: dict[type, Callable[[State, Any], State]] = {
    changes_of.Sign: agreements.sign,
    changes_of.BringIntoForce: agreements.bring_into_force,
    changes_of.Terminate: agreements.terminate,
    changes_of.ImposeRestriction: restrictions.impose_restriction,
    changes_of.LiftRestriction: restrictions.lift_restriction,
    changes_of.LoseSupplier: supply.lose_supplier,
    changes_of.AddCapacity: supply.add_capacity,
    changes_of.MoveShare: supply.move_share,
    changes_of.SetGovernance: readings.set_governance,
    changes_of.JoinBloc: readings.join_bloc,
    changes_of.LeaveBloc: readings.leave_bloc,
    changes_of.DefineBloc: readings.define_bloc,
    changes_of.SetLadder: readings.set_ladder,
}


@dataclass(frozen=True, eq=False)
class Worked:
    """A scenario's Worlds and ladders before and after, what became of output, and what to know about the changes."""

    before: World
    after: World
    ladder: Ladder
    ladder_after: Ladder
    shocks: tuple[Shock, ...]
    notes: tuple[tuple[int, str], ...]
    caveats: tuple[str, ...]


def work_out(world: World, changes: Sequence[changes_of.Change], as_of: date, ladder: Ladder = LADDER) -> Worked:
    """The Worlds before and after some changes on a day. Raises ChangeError naming the change that cannot be made."""
    refuse_overmuch(world, changes)
    numbered = list(enumerate(changes))
    defined = State(world, ladder, as_of)
    for place, change in numbered:
        if isinstance(change, changes_of.DefineBloc):
            defined = _done(defined, place, change)
    state = defined
    for place, change in numbered:
        if not isinstance(change, changes_of.DefineBloc):
            state = _done(state, place, change)
    state, shocks = supply.settle(state)
    before = world if defined.world is world else _finished(defined.world, world, as_of)
    after = before if state.world is defined.world else _finished(state.world, before, as_of)
    return Worked(before, after, ladder, state.ladder, tuple(shocks), state.notes, state.caveats)


def _done(state: State, place: int, change: changes_of.Change) -> State:
    try:
        return _DONE_BY[type(change)](replace(state, place=place), change)
    except ChangeError as error:
        raise ChangeError(error.field, error.detail, place) from error


def _finished(world: World, like: World, as_of: date) -> World:
    """A World with what follows from its rows worked out; where its figures are those of another, so is the sheet."""
    finished = world.changed()
    if finished.share_sets is like.share_sets and finished.governance is like.governance:
        share_sheet(like, finished, as_of)
    return finished
