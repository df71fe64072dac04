"""What would happen if: a list of changes, and the scores before and after them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.change import Change, Slugs, Steps
from schemas.common import Answer, Fraction, Stage
from schemas.effect import Difference, DifferenceInterval, Outcome, StageDifference
from schemas.score import MethodRef
from schemas.text import BUYER

Buyer = Annotated[
    str,
    Meta(
        pattern=BUYER,
        max_length=400,
        description="A country, a bloc, one of this request's own, or a coalition: `CAN,USA`.",
        examples=["USA"],
    ),
]
NonNegative = Annotated[float, Meta(ge=0)]


class Scenario(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes, and for whom their consequences are asked.

    All amounts are fractions of world output before any change, so the order of changes that add and take away output
    does not matter. Everything else is done in the order given.
    """

    changes: Annotated[list[Change], Meta(max_length=100)]
    buyers: Annotated[list[Buyer], Meta(min_length=1, max_length=50)]
    minerals: Slugs | None = None
    """Left out for all."""
    as_of: date | None = None
    """The day spoken of; left out, today (UTC)."""
    known_at: Annotated[int, Meta(ge=1, le=10**18)] | None = None
    """The ledger revision to start from; left out, the newest."""
    attribution: Literal["territory", "control"] = "territory"
    ladder: Steps = field(default_factory=dict)
    """Steps of the ladder with other values, before and after alike; `set_ladder` is for after only."""
    store: bool = False
    """Whether to keep the scenario, for `GET /v1/scenarios/{id}`. Needs a key with the scope `write`."""


class Volume(Struct, frozen=True, kw_only=True):
    """Output of one country that is lost or added."""

    country: str
    """`*` for a sum over all of them."""
    share: NonNegative | None
    """Of world output before any change; null where the source withholds it."""
    quantity: NonNegative | None
    """A year, in the `unit` of the stage; null where the source prints no world amount."""


class Remaining(Struct, frozen=True, kw_only=True):
    """A supplier after the changes."""

    country: str
    share_of_former_output: NonNegative
    share: Fraction
    """Of the output there is after the changes."""


class Supply(Struct, frozen=True, kw_only=True):
    """What becomes of the world's output of a mineral at a stage, whoever buys."""

    mineral: str
    stage: Stage
    source: str
    reference_year: int | None
    unit: str | None
    world_quantity: NonNegative | None
    """World output before the changes, in `unit`."""
    lost: list[Volume]
    added: list[Volume]
    moved: list[Volume]
    """What moves, by the country it moves to."""
    to_replace: Volume | None
    """What would have to be replaced: all that is lost; null if nothing is."""
    remaining_output: NonNegative
    """Output after the changes as a fraction of what it was: shares after the changes are shares of this."""
    growth_needed: NonNegative | None
    """By what part that output would have to grow to make up for what is lost; null if none is left."""
    n_minus_one: NonNegative
    """The part of former output that is met without what is lost, before anything is added."""
    n_minus_one_after: NonNegative
    """The part of former output that is met if the largest supplier after the changes is lost as well."""
    suppliers: list[Remaining]
    """Largest first."""


class BuyerLoss(Struct, frozen=True, kw_only=True):
    """What of a buyer's own supply comes from where output is lost, as far as a source says where the buyer gets it."""

    mineral: str
    """As the source names it: where it prints a group only, that group."""
    stage: Stage
    of: Literal["supply", "imports"]
    """What `share` is a part of: all the buyer uses, its own output included, or what it imports."""
    share: Fraction
    """The lost part. That it is lost to this buyer alike is the bound; who would go short nobody knows."""
    import_reliance: Fraction | None
    """The part of its use that the buyer imports; null where no source says."""
    source: str
    period: str


class Result(Struct, frozen=True, kw_only=True):
    """One mineral for one buyer, before and after."""

    buyer: str
    mineral: str
    name: str
    before: Outcome
    after: Outcome
    difference: Difference | None
    """After minus before, taken before rounding; three digits, however small. Null where either has no score."""
    difference_unrounded: Difference | None
    interval: DifferenceInterval | None
    band_changed: bool
    binding_stage_changed: bool
    to_replace: list[Volume]
    """What the stages of the mineral lose, stage after stage; `supply` has the whole account."""
    buyer_loss: list[BuyerLoss]
    """What of the buyer's own supply or imports comes from where output is lost."""
    no_output_left: bool
    """Whether a stage loses everything that is named: no score can say what that means."""
    stages: list[StageDifference]
    """The stages that move."""


class ChangeNote(Struct, frozen=True, kw_only=True):
    """What to know about one of the changes."""

    change: int
    """Its place in `changes`, from 0."""
    note: str


class ScenarioAnswer(Answer, frozen=True, kw_only=True):
    """A scenario worked out.

    Shocks are bounds of exposure, not forecasts: stocks, idle capacity, substitution, price and time do not enter.
    """

    id: str | None
    """Under which it is kept; null where it is not."""
    method: MethodRef
    attribution: Literal["territory", "control"]
    ladder: Steps
    changes: list[Change]
    notes: list[ChangeNote]
    caveats: list[str]
    """What to keep in mind: of shocks in general, and of each deposit that is switched on."""
    supply: list[Supply]
    """The stages whose output changes."""
    results: list[Result]
    """Buyer after buyer as asked; minerals that do not move are left out unless they were asked for by name."""
