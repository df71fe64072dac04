"""The EU's studies as the ledger has them: every line of their components, and what the equation makes of it.

The study on the list of 2023 prints shares, from which concentrations follow; that of 2017 prints concentrations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from service.methods.engine import MixUsed, Supply, Term
from service.risk.methods.eu_crm import (
    ID,
    Basis,
    Components,
    SupplyRisk,
    mix_concentration,
    of_group,
    of_stages,
    supply_risk,
)
from service.world.dates import settled
from service.world.studies import printed_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from service.methods.engine import MixKind
    from service.world.rows import Parameter, Reliance, Source, Stage
    from service.world.world import World

BUYER = "EU"

TRADE_WITHIN, TRADE = 0.8, 1.0
"""The trade parameter of the EU's members on the study's day, and of everybody else, where no other is printed."""

BASES: Mapping[str, Basis] = {
    "GS + EUS": "both",
    "GS+EU": "both",
    "GS only": "world",
    "GSonly": "world",
    "EUS only": "own",
    "EUonly": "own",
    "EU": "own",
}
"""What the studies print as the supply mixes they used."""

H = "share² · weight · factor"


@dataclass(frozen=True)
class Study:
    """One of the EU's studies, by the year of its list."""

    source: Source
    vintage: int


@dataclass(frozen=True, eq=False)
class StudyRow:
    """One line of a study's table of components, with what the equation makes of it.

    `published` is the supply risk the study prints for the line, where it is known here; `members` are the lines of
    a group's members, each at its own stage.
    """

    study: Study
    label: str
    mineral: str
    stage: Stage
    mixes: tuple[MixUsed, ...]
    terms: tuple[Term, ...]
    components: Components | None
    missing: tuple[str, ...]
    published: float | None
    departs: bool
    """Whether the study names supply mixes that it does not print."""
    members: tuple[StudyRow, ...] = ()

    @cached_property
    def risk(self) -> SupplyRisk | None:
        """The supply risk by the equation; None where the study prints too little, and for groups."""
        return None if self.components is None else supply_risk(self.components)

    @property
    def value(self) -> float | None:
        """The unrounded supply risk: a group's is the mean of its members, each at its higher stage."""
        if self.members:
            return _mean(self.members)
        return None if self.risk is None else self.risk.value


def _mean(members: Sequence[StudyRow]) -> float | None:
    stages: dict[str, list[float]] = {row.mineral: [] for row in members}
    for row in members:
        if row.value is not None:
            stages[row.mineral].append(row.value)
    return of_group([of_stages(values) for values in stages.values()]) if all(stages.values()) else None


def studies(world: World) -> tuple[Study, ...]:
    """The studies the ledger has components of, newest first."""
    found = {(row.source, row.year) for row in world.studies.of_parameter("supply_used") if row.year}
    return tuple(
        Study(world.sources[source], year) for source, year in sorted(found, key=lambda each: (-each[1], each[0]))
    )


def study_rows(world: World, study: Study) -> tuple[StudyRow, ...]:
    """Every line of a study's table of components, by label and stage."""
    return world.memo.get((ID, study.source.id, study.vintage), lambda: _Reading(world, study).rows())


class _Reading:
    """Reads one study out of the World."""

    def __init__(self, world: World, study: Study) -> None:
        self._world = world
        self._study = study
        self._inside = world.members(BUYER, settled(study.source.published or f"{study.vintage}"))
        self._weights = {row.country: row.value for row in self._parameters("w")}
        self._trade = {
            kind: {(row.mineral, row.stage, row.country): row.value for row in self._parameters(name)}
            for kind, name in (("world_supply", "t_gs"), ("own_supply", "t_eu"))
        }
        self._printed = {
            (name, row.label, row.mineral, row.stage): row
            for name in ("h_gs", "h_eu", "eol_rir", "si_sr", "sr")
            for row in self._parameters(name)
        }

    def rows(self) -> tuple[StudyRow, ...]:
        lines = [self._row(line) for line in self._parameters("supply_used")]
        by_mineral: dict[str, list[StudyRow]] = {}
        for row in lines:
            by_mineral.setdefault(row.mineral, []).append(row)
        return tuple(self._group(row, by_mineral) for row in lines)

    def _parameters(self, name: str) -> Iterator[Parameter]:
        found = self._world.studies.parameters.get((self._study.source.id, name), ())
        return (row for row in found if row.year == self._study.vintage)

    def _group(self, row: StudyRow, by_mineral: Mapping[str, Sequence[StudyRow]]) -> StudyRow:
        """A line without components stands for the members of its group: one of processing for all their stages."""
        members = self._world.minerals[row.mineral].members
        if row.components is not None or not members:
            return row
        counted = [
            line for member in members for line in by_mineral.get(member, ()) if row.stage in ("processing", line.stage)
        ]
        known = {line.mineral for line in counted}
        missing = tuple(f"the study prints nothing on {member}" for member in members if member not in known)
        return StudyRow(
            study=row.study,
            label=row.label,
            mineral=row.mineral,
            stage=row.stage,
            mixes=(),
            terms=tuple(Term(f"{line.label} {line.stage}", line.value, "SR") for line in counted),
            components=None,
            missing=missing,
            published=row.published,
            departs=False,
            members=() if missing else tuple(counted),
        )

    def _row(self, line: Parameter) -> StudyRow:
        assert line.mineral is not None
        assert line.stage is not None
        mineral, stage = line.mineral, line.stage
        world_mix, own_mix = self._world_mix(mineral, stage), self._own_mix(mineral, stage)
        reliance = self._reliance(mineral, stage)
        terms = {
            "h_gs": self._term("h_gs", line, world_mix),
            "h_eu": self._term("h_eu", line, own_mix),
            "import_reliance": _reliance_term(reliance),
            "eol_rir": self._term("eol_rir", line),
            "si_sr": self._term("si_sr", line),
        }
        asked = BASES.get(line.text)
        components, missing = _components({name: term.value for name, term in terms.items()}, asked)
        published = self._printed.get(("sr", line.label, mineral, stage))
        return StudyRow(
            study=self._study,
            label=line.label,
            mineral=mineral,
            stage=stage,
            mixes=tuple(mix for mix in (world_mix, own_mix) if mix is not None),
            terms=(
                Term("supply_used", None, "", line.printed, line.source, line.locator),
                *terms.values(),
            ),
            components=components,
            missing=missing,
            published=None if published is None else published.value,
            departs=components is not None and components.basis is None,
        )

    def _term(self, name: str, line: Parameter, mix: MixUsed | None = None) -> Term:
        """A component as the study prints it, else as it follows from the shares of a mix."""
        printed = self._printed.get((name, line.label, line.mineral, line.stage))
        if printed is not None:
            return Term(name, printed.value, printed.unit, printed.printed, printed.source, printed.locator)
        return Term(name, None if mix is None else mix.total, "0..10" if mix else "")

    def _world_mix(self, mineral: str, stage: Stage) -> MixUsed | None:
        for found in self._world.share_sets.get((mineral, stage), ()):
            if found.source.id == self._study.source.id:
                rows = [(row.country, row.share) for row in found.rows]
                return self._mix("world_supply", mineral, stage, found.label or "", rows)
        return None

    def _own_mix(self, mineral: str, stage: Stage) -> MixUsed | None:
        for named in printed_as(self._world.minerals, mineral, stage):
            for found in self._world.studies.mixes.get((BUYER, named, stage), ()):
                if found.source.id == self._study.source.id:
                    rows = [(row.country, row.share) for row in found.rows]
                    return self._mix("own_supply", named, stage, found.label, rows)
        return None

    def _mix(
        self, kind: MixKind, mineral: str, stage: Stage, period: str, rows: Iterable[tuple[str, float | None]]
    ) -> MixUsed | None:
        """A mix with its weights and trade parameters; None where the study prints no governance to weigh it with."""
        if not self._weights:
            return None
        suppliers = []
        for country, share in rows:
            weight = self._weights.get(country)
            default = TRADE_WITHIN if country in self._inside else TRADE
            factor = self._trade[kind].get((mineral, stage, country), default)
            known = share is not None and weight is not None and factor is not None
            h = mix_concentration([share or 0], [weight or 0], [factor or 0]) if known else 0.0
            suppliers.append(Supply(country, share, weight, factor, h))
        total = sum(supplier.contribution for supplier in suppliers)
        return MixUsed(kind, self._study.source.id, period, "share", H, total, tuple(suppliers))

    def _reliance(self, mineral: str, stage: Stage) -> Reliance | None:
        for named in printed_as(self._world.minerals, mineral, stage):
            for row in self._world.studies.reliances.get((BUYER, named, stage), ()):
                if row.source == self._study.source.id:
                    return row
        return None


def _reliance_term(row: Reliance | None) -> Term:
    if row is None:
        return Term("import_reliance", None)
    return Term("import_reliance", row.reliance, "fraction", row.printed, row.source, row.locator)


def _components(values: Mapping[str, float | None], asked: Basis | None) -> tuple[Components | None, tuple[str, ...]]:
    """The components, with the study's choice of mixes where what it prints allows it; or what is missing."""
    recycling, substitution = values["eol_rir"], values["si_sr"]
    h_world, h_own, reliance = values["h_gs"], values["h_eu"], values["import_reliance"]
    missing = [
        text
        for text, lacking in (
            ("the study prints no recycling rate", recycling is None),
            ("the study prints no substitution index", substitution is None),
            ("the study prints neither supply mix", h_world is None and h_own is None),
        )
        if lacking
    ]
    if recycling is None or substitution is None or missing:
        return None, tuple(missing)
    possible = {"world": h_world is not None, "own": h_own is not None}
    possible["both"] = possible["world"] and possible["own"] and reliance is not None
    basis = asked if asked is not None and possible[asked] else None
    return Components(h_world, h_own, reliance, recycling, substitution, basis), ()
