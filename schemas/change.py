"""The changes a scenario is made of: what is signed, restricted, lost, added or read differently."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.common import Fraction, Stage
from schemas.text import Code, Party, Slug

Slugs = Annotated[list[Slug], Meta(min_length=1, max_length=200)]
Stages = Annotated[list[Stage], Meta(min_length=1, max_length=2)]
Parties = Annotated[list[Party], Meta(min_length=1, max_length=300)]
Year = Annotated[int, Meta(ge=1900, le=2100)]
Positive = Annotated[float, Meta(gt=0, le=1e12)]


class NewAgreement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agreement nobody has signed."""

    id: Slug
    """A name of your own, which no agreement in the ledger has."""
    type: Literal[
        "trade_agreement",
        "executive_agreement",
        "framework",
        "action_plan",
        "strategic_partnership",
        "memorandum",
        "letter_of_intent",
        "joint_statement",
        "forum",
    ]
    binding: bool
    parties: Annotated[list[Party], Meta(min_length=1, max_length=60)]
    """Countries and blocs. One whose only party is a bloc ties that bloc's members with each other."""
    minerals: Slugs | None = None
    """Left out for every mineral. A group stands for its members too."""
    stages: Stages | None = None
    no_export_restriction: bool = False
    """Whether a clause forbids the parties to restrict exports to each other; it counts where `binding`."""


class _Change(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="change", rename={"from_": "from"}
):
    pass


class Sign(_Change, frozen=True, kw_only=True, tag="sign"):
    """An agreement is signed. One that had ended or was suspended stands again as signed."""

    agreement: Slug | NewAgreement
    """One the ledger knows, or a new one."""
    on: date | None = None
    """Left out, the day of the scenario."""


class BringIntoForce(_Change, frozen=True, kw_only=True, tag="bring_into_force"):
    """An agreement enters into force, signed by then at the latest."""

    agreement: Slug | NewAgreement
    on: date | None = None


class Terminate(_Change, frozen=True, kw_only=True, tag="terminate"):
    """An agreement ends."""

    agreement: Slug
    on: date | None = None


class ImposeRestriction(_Change, frozen=True, kw_only=True, tag="impose_restriction"):
    """A country restricts exports."""

    country: Code
    type: Literal["licence", "tax", "quota", "ban"]
    minerals: Slugs
    stages: Stages | None = None
    """Left out for both."""
    buyers: Parties | None = None
    """Whom it hits; left out for everybody."""
    factor: Annotated[float, Meta(ge=1, le=3)] | None = None
    """The strength r; left out, the ladder's value for the type."""
    on: date | None = None


class LiftRestriction(_Change, frozen=True, kw_only=True, tag="lift_restriction"):
    """Restrictions of a country are lifted, for everybody or for some buyers."""

    country: Code
    minerals: Slugs | None = None
    """Left out for all. A restriction on a group is lifted with any of its members named here."""
    stages: Stages | None = None
    """Left out for both. A restriction on more stages stays on the others."""
    buyers: Parties | None = None
    """Left out for everybody."""


class LoseSupplier(_Change, frozen=True, kw_only=True, tag="lose_supplier"):
    """A supplier's output is lost to the world, in whole or in part."""

    country: Code
    minerals: Slugs | None = None
    """Left out for all it supplies. A group stands for its members too."""
    stage: Stage | None = None
    """Left out for both."""
    fraction: Annotated[float, Meta(gt=0, le=1)] = 1.0
    """The part of what the supplier has."""


class AddCapacity(_Change, frozen=True, kw_only=True, tag="add_capacity"):
    """New output. Name a deposit or project the ledger knows, or a country and stage; say how much, unless it does."""

    deposit: Slug | None = None
    """One the ledger knows, see `/v1/deposits`."""
    country: Code | None = None
    stage: Stage | None = None
    mineral: Slug | None = None
    """Needed unless a deposit's own capacity says it."""
    share: Annotated[float, Meta(gt=0, le=10)] | None = None
    """How much, as a fraction of world output before any change."""
    quantity: Positive | None = None
    """How much a year, in the unit in which the source prints world output."""
    start: Year | None = None
    """The year by whose end it runs: it counts for days from then on. Left out, it runs already."""


class MoveShare(_Change, frozen=True, kw_only=True, tag="move_share"):
    """Output moves from one country to another."""

    mineral: Slug
    stage: Stage
    from_: Code
    to: Code
    share: Annotated[float, Meta(gt=0, le=1)]
    """How much, as a fraction of world output before any change."""


class SetGovernance(_Change, frozen=True, kw_only=True, tag="set_governance"):
    """A country's governance is taken to be of some weight."""

    country: Code
    weight: Fraction
    """g, 1 = worst."""


class JoinBloc(_Change, frozen=True, kw_only=True, tag="join_bloc"):
    """A country becomes a member of a bloc."""

    country: Code
    bloc: Party
    on: date | None = None


class LeaveBloc(_Change, frozen=True, kw_only=True, tag="leave_bloc"):
    """A country leaves a bloc."""

    country: Code
    bloc: Party
    on: date | None = None


class DefineBloc(_Change, frozen=True, kw_only=True, tag="define_bloc"):
    """A coalition of your own. It is there before the other changes, and being in it ties nobody by itself."""

    id: Party
    """A name no country and no bloc has. Use it as a buyer, as a party, in `join_bloc` and the like."""
    members: Annotated[list[Code], Meta(min_length=1, max_length=300)]


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of the ladder with its doubt: low ≤ central ≤ high."""

    central: Annotated[float, Meta(ge=0, le=3)]
    low: Annotated[float, Meta(ge=0, le=3)]
    high: Annotated[float, Meta(ge=0, le=3)]


Steps = Annotated[
    dict[str, Annotated[float, Meta(ge=0, le=3)] | Step],
    Meta(
        max_length=20, description="Steps of the ladder by name; a bare number is certain.", examples=[{"forum": 1.0}]
    ),
]


class SetLadder(_Change, frozen=True, kw_only=True, tag="set_ladder"):
    """Some steps of the ladder of ties and restrictions have other values."""

    steps: Steps


Change = (
    Sign
    | BringIntoForce
    | Terminate
    | ImposeRestriction
    | LiftRestriction
    | LoseSupplier
    | AddCapacity
    | MoveShare
    | SetGovernance
    | JoinBloc
    | LeaveBloc
    | DefineBloc
    | SetLadder
)
"""One change; `change` says which."""
