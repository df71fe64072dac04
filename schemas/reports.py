"""Who controls capacity, what articles claim, and deposits that may supply one day, as the service lists them."""

from __future__ import annotations

from msgspec import Struct

from schemas.common import Answer, Page, PartialDate, SourceRef, Stage


class ControlItem(Struct, frozen=True, kw_only=True):
    """How much of a host country's capacity for a mineral at a stage another country controls."""

    mineral: str
    stage: Stage
    host: str
    controller: str
    type: str
    """`ownership`, or `offtake`: output that is committed to a buyer without being owned."""
    year: int
    share: float | None
    """Of the host's capacity, 0..1; null where the source gives no such share, as with a count of mines."""
    printed: str
    evidence_level: str
    source: SourceRef


class EvidenceRef(Struct, frozen=True, kw_only=True):
    """A row of evidence by its kind and key."""

    kind: str
    key: str
    """The parts of the row's key joined by `/`, `-` for a part it does not have."""
    href: str | None
    """Where the service shows it; null where it has no page of its own."""


class ClaimItem(Struct, frozen=True, kw_only=True):
    """A statement of a source, kept as it was made, and the evidence that represents it."""

    id: str
    made: PartialDate | None
    subject: str
    statement: str
    value: float | None
    unit: str
    evidence_level: str
    shown_in: list[str]
    """The rows that represent it as `kind:key`; the claim's own page says where to find them."""
    source: SourceRef


class ClaimDetail(Answer, frozen=True, kw_only=True):
    """A claim with the evidence that represents it."""

    claim: ClaimItem
    evidence: list[EvidenceRef]


class DepositItem(Struct, frozen=True, kw_only=True):
    """A deposit or project: potential supply that no score counts unless a scenario switches it on."""

    id: str
    name: str
    country: str
    place: str
    minerals: list[str]
    stage: Stage
    status: str
    """`find`, `exploration`, `planned`, `construction`, `producing` or `suspended`, by the source."""
    start: PartialDate | None
    capacity: float | None
    """Yearly output in `unit` of `basis` once it runs; null where no source gives one."""
    unit: str
    basis: str
    resource: str
    caveats: list[str]
    """What has to be said wherever the deposit is: law that is missing, social and environmental cost."""
    printed: str
    evidence_level: str
    source: SourceRef


class DepositDetail(Answer, frozen=True, kw_only=True):
    """A deposit as of a day."""

    deposit: DepositItem


class ClaimPage(Page[ClaimItem], frozen=True, kw_only=True):
    """One page of claims."""


class ControlPage(Page[ControlItem], frozen=True, kw_only=True):
    """One page of control shares."""


class DepositPage(Page[DepositItem], frozen=True, kw_only=True):
    """One page of deposits."""
