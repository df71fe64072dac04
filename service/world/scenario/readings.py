"""Governance, membership of blocs, coalitions and the ladder, read otherwise than the evidence has them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec import structs

from schemas.change import DefineBloc, JoinBloc, LeaveBloc, SetGovernance, SetLadder
from schemas.change import Step as StepGiven
from service.risk.governance import BOUND
from service.risk.partners import Ladder, Step
from service.world.dates import holds
from service.world.rows import Bloc, Membership
from service.world.scenario.state import SOURCE, ChangeError, State

if TYPE_CHECKING:
    from collections.abc import Mapping

ALWAYS = "0001-01-01"
"""When a coalition of the scenario's own begins: it is there on every day."""


def set_governance(state: State, change: SetGovernance) -> State:
    """A country's weight is set in every year of the release, with no doubt about it."""
    table, country = state.world.governance, state.need_country(change.country, "country")
    if not table.years:
        raise ChangeError("country", "the ledger has no governance figures to replace")
    place = state.world.country_index[country]
    estimates, errors = table.estimates.copy(), table.errors.copy()
    estimates[:, place] = BOUND - 2 * BOUND * change.weight
    errors[:, place] = 0.0
    return state.with_rows(governance=replace(table, estimates=estimates, errors=errors))


def join_bloc(state: State, change: JoinBloc) -> State:
    """A country is a member of a bloc from the day on."""
    country, bloc = state.need_country(change.country, "country"), _need_bloc(state, change.bloc)
    on = change.on or state.as_of
    if any(_holds(row, bloc, country) and holds(row.valid_from, row.valid_to, on) for row in state.world.memberships):
        return state.noted(f"{country} belongs to {bloc} by then anyway")
    row = Membership(bloc=bloc, country=country, valid_from=on.isoformat(), source=SOURCE)
    return state.with_rows(memberships=(*state.world.memberships, row))


def leave_bloc(state: State, change: LeaveBloc) -> State:
    """A country is outside a bloc from the day on."""
    country, bloc = state.need_country(change.country, "country"), _need_bloc(state, change.bloc)
    on = change.on or state.as_of
    left = [
        structs.replace(row, valid_to=on.isoformat())
        if _holds(row, bloc, country) and holds(row.valid_from, row.valid_to, on)
        else row
        for row in state.world.memberships
    ]
    if left == list(state.world.memberships):
        return state.noted(f"{country} does not belong to {bloc} by then")
    return state.with_rows(memberships=tuple(left))


def _holds(row: Membership, bloc: str, country: str) -> bool:
    return row.bloc == bloc and row.country == country


def _need_bloc(state: State, name: str) -> str:
    if name not in state.world.blocs:
        raise ChangeError("bloc", f"no bloc is called {name!r}")
    return name


def define_bloc(state: State, change: DefineBloc) -> State:
    """A coalition is there, on every day, and ties nobody by itself."""
    if change.id in state.world.blocs or change.id in state.world.countries:
        raise ChangeError("id", f"{change.id!r} is the name of a country or bloc there is")
    members = [state.need_country(code, f"members/{place}") for place, code in enumerate(change.members)]
    bloc = Bloc(id=change.id, name=change.id, type="group", source=SOURCE)
    rows = (
        Membership(bloc=change.id, country=code, valid_from=ALWAYS, source=SOURCE) for code in dict.fromkeys(members)
    )
    return state.with_rows(blocs={**state.world.blocs, bloc.id: bloc}, memberships=(*state.world.memberships, *rows))


def set_ladder(state: State, change: SetLadder) -> State:
    """Some steps of the ladder have other values."""
    try:
        return replace(state, ladder=with_steps(state.ladder, change.steps))
    except ValueError as error:
        raise ChangeError("steps", str(error)) from error


def with_steps(ladder: Ladder, steps: Mapping[str, float | StepGiven]) -> Ladder:
    """A ladder with some steps of other values. Raises ValueError for what is no step or no value of it."""
    return ladder.replace(
        **{
            name: Step(step.central, step.low, step.high) if isinstance(step, StepGiven) else step
            for name, step in steps.items()
        }
    )
