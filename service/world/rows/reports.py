"""What articles and surveys report: claims, and deposits and projects that may supply one day."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from schemas.text import CLAIM, Code, Slug
from service.world.rows.base import Cited, EvidenceLevel, NonNegative, PartialDate, Stage, Text


class Claim(Cited, frozen=True, kw_only=True):
    """A statement of a source, kept as it was made; `shown_in` names the evidence that represents it.

    Each entry of `shown_in` is `kind:id`, such as `agreement:us-peru-mou-2026` or `share:magnet-rare-earths`.
    """

    kind = "claim"
    key = ("id",)
    refers = {"source": ("source",)}
    id: Annotated[str, Meta(pattern=CLAIM)]
    made: PartialDate | None = None
    subject: Text
    statement: Text
    value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    unit: Text = ""
    evidence_level: EvidenceLevel
    shown_in: tuple[str, ...] = ()


class Deposit(Cited, frozen=True, kw_only=True):
    """A deposit or project: potential supply with a place. It scores nothing unless a scenario switches it on.

    `capacity` is yearly output at `stage` in `unit` of `basis` once it runs, as the shares of that stage are counted;
    None where no source gives one. `caveats` travel with it wherever it is shown.
    """

    kind = "deposit"
    key = ("id",)
    refers = {"source": ("source",), "country": ("country",), "minerals": ("mineral",)}
    id: Slug
    name: Text
    country: Code
    place: Text = ""
    minerals: tuple[Slug, ...]
    stage: Stage
    status: Literal["find", "exploration", "planned", "construction", "producing", "suspended"]
    start: PartialDate | None = None
    capacity: NonNegative | None = None
    unit: Text = ""
    basis: Text = ""
    resource: Text = ""
    caveats: tuple[str, ...] = ()
    printed: Text
    evidence_level: EvidenceLevel
