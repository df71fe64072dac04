"""What stands between a buyer and the suppliers of a mineral, told with everything that was considered."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from schemas import explain_ties as wire
from service.answers.catalog import cite, restriction_status
from service.answers.names import Names
from service.answers.score import TIES
from service.risk.partners import LADDER, RestrictionType, Tier, tier_of
from service.world.position import Position, Positions
from service.world.standing import MARKET_TYPES, Ties, restriction_stands, status_on, ties_on
from service.world.world import STAGES

if TYPE_CHECKING:
    from datetime import date

    from schemas.explain_ties import AgreementFate, RestrictionFate
    from service.risk.partners import Ladder
    from service.world.rows import Agreement, Provision, Restriction, Stage
    from service.world.world import World


@dataclass(frozen=True)
class TiesExplained:
    """The ties and restrictions between one buyer and the suppliers of one mineral on a day."""

    world: World
    mineral: str
    buyer: str
    as_of: date
    suppliers: tuple[str, ...]
    ladder: Ladder = LADDER

    @cached_property
    def _ties(self) -> Ties:
        return ties_on(self.world, self.as_of)

    @cached_property
    def readers(self) -> list[str]:
        """The countries through whose eyes suppliers are read: the buyer, or the members of the buying bloc."""
        return sorted(self._ties.expand(self.buyer)) or [self.buyer]

    @cached_property
    def _readings(self) -> dict[str, Position]:
        """The position of each reader by itself towards the suppliers (stages × suppliers)."""
        countries = [self.world.country_index[supplier] for supplier in self.suppliers]
        stage, country = np.meshgrid(range(len(STAGES)), np.array(countries, dtype=np.int64), indexing="ij")
        mineral = np.full_like(stage, self.world.mineral_index[self.mineral])
        positions = Positions(self.world, self.as_of, self.ladder, (stage, mineral, country))
        return {reader: positions.of(reader) for reader in self.readers}

    @cached_property
    def _linked(self) -> dict[str, dict[str, frozenset[str]]]:
        """By agreement and reader, the suppliers it ties to the reader, whatever its status and scope."""
        linked: dict[str, dict[str, frozenset[str]]] = {}
        for agreement in self.world.agreements.values():
            for reader in self.readers:
                if reached := self._ties.partners(agreement, reader).intersection(self.suppliers):
                    linked.setdefault(agreement.id, {})[reader] = reached
        return linked

    def _covers(self, agreement: Agreement, reader: str) -> bool:
        return self.mineral in self._ties.covered(agreement, reader)

    @cached_property
    def _restrictions(self) -> list[Restriction]:
        return [
            row
            for row in self.world.restrictions.values()
            if row.country in self.suppliers and self.mineral in self.world.touched(row.mineral)
        ]

    def agreements(self) -> list[wire.AgreementConsidered]:
        """Every agreement that ties a reader to a supplier, whatever came of it."""
        return [self._agreement(self.world.agreements[name]) for name in self._linked]

    def _agreement(self, row: Agreement) -> wire.AgreementConsidered:
        status = status_on(row, self.as_of)
        clauses = [c for c in self.world.provisions.get(row.id, ()) if c.type == "no_export_restriction"]
        return wire.AgreementConsidered(
            id=row.id,
            title=row.title,
            type=row.type,
            binding=row.binding,
            parties=list(row.parties),
            signed=row.signed,
            in_force=row.in_force,
            suspended=row.suspended,
            resumed=row.resumed,
            ended=row.ended,
            scope=row.scope,
            minerals=list(row.minerals),
            stages=list(row.stages),
            status=status,
            tie=TIES[tier_of(row.type, row.binding, status)],
            covers_mineral_for=[reader for reader in self._linked[row.id] if self._covers(row, reader)],
            clauses=[self._clause(clause) for clause in clauses],
            evidence_level=row.evidence_level,
            printed=row.printed,
            source=cite(row),
        )

    def _clause(self, row: Provision) -> wire.ClauseUsed:
        named = self._ties.meant(frozenset(row.minerals))
        return wire.ClauseUsed(
            id=row.id,
            binding=row.binding,
            obliges=list(row.obliges),
            minerals=list(row.minerals),
            covers_mineral=not row.minerals or self.mineral in named,
            forbids=list(row.forbids),
            text=row.text,
            evidence_level=row.evidence_level,
            source=cite(row),
        )

    def restrictions(self) -> list[wire.RestrictionConsidered]:
        """Every restriction of a supplier on the mineral, whatever came of it."""
        return [
            wire.RestrictionConsidered(
                id=row.id,
                country=row.country,
                type=row.type,
                mineral=row.mineral,
                stages=list(row.stages),
                targets=list(row.targets),
                factor=row.factor,
                valid_from=row.valid_from,
                valid_to=row.valid_to,
                suspended=row.suspended,
                resumed=row.resumed,
                status=restriction_status(row, self.as_of),
                r=self.ladder.r(RestrictionType[row.type.upper()], row.factor).central,
                printed=row.printed,
                source=cite(row),
            )
            for row in self._restrictions
        ]

    def blocs(self) -> list[wire.BlocMembers]:
        """The blocs that count here: parties, targets and markets of readers or suppliers."""
        expand = self._ties.expand
        named = {party for name in self._linked for party in self.world.agreements[name].parties}
        named |= {target for row in self._restrictions for target in row.targets} | {self.buyer}
        named |= {o for name in self._linked for c in self.world.provisions.get(name, ()) for o in c.obliges}
        here = {*self.readers, *self.suppliers}
        return [
            wire.BlocMembers(bloc=bloc.id, type=bloc.type, members=sorted(expand(bloc.id)))
            for bloc in self.world.blocs.values()
            if bloc.id in named or (bloc.type in MARKET_TYPES and not here.isdisjoint(expand(bloc.id)))
        ]

    def readings(self, stage: Stage, supplier: str) -> list[wire.Reading]:
        """How a supplier stands towards each reader at a stage; readers it stands alike to are told together."""
        alike: list[tuple[wire.Reading, list[str]]] = []
        for reader in self.readers:
            reading = self._reading(stage, supplier, reader)
            for known, readers in alike:
                if known == reading:
                    readers.append(reader)
                    break
            else:
                alike.append((reading, [reader]))
        return [replace(reading, readers=readers) for reading, readers in alike]

    def _reading(self, stage: Stage, supplier: str, reader: str) -> wire.Reading:
        cell = STAGES.index(stage), self.suppliers.index(supplier)
        position = self._readings[reader]
        names = Names.of(self.world)
        agreement = names.agreements[position.agreement[cell]]
        restriction = names.restrictions[position.restriction[cell]]
        tier = Tier(int(position.tier[cell]))
        return wire.Reading(
            readers=[],
            tie=TIES[tier],
            agreement=agreement,
            market=self._market(supplier, reader) if tier is Tier.SINGLE_MARKET else None,
            restriction=restriction,
            relieved_by=names.agreements[position.protector[cell]],
            agreements=[
                wire.AgreementOutcome(id=name, outcome=self._agreement_outcome(name, agreement, stage, reader))
                for name, by_reader in self._linked.items()
                if supplier in by_reader.get(reader, ())
            ],
            restrictions=[
                wire.RestrictionOutcome(id=row.id, outcome=self._restriction_outcome(row, restriction, stage, reader))
                for row in self._restrictions
                if row.country == supplier
            ],
        )

    def _market(self, supplier: str, reader: str) -> str | None:
        expand = self._ties.expand
        blocs = (bloc for bloc in self.world.blocs.values() if bloc.type in MARKET_TYPES)
        return next((bloc.id for bloc in blocs if {supplier, reader} <= expand(bloc.id)), None)

    def _agreement_outcome(self, name: str, chosen: str | None, stage: Stage, reader: str) -> AgreementFate:
        row = self.world.agreements[name]
        if name == chosen:
            return "counts"
        if not self._covers(row, reader):
            return "other_mineral"
        if row.stages and stage not in row.stages:
            return "other_stage"
        ties = tier_of(row.type, row.binding, status_on(row, self.as_of)) is not Tier.NONE
        return "not_better" if ties else "no_tie"

    def _restriction_outcome(self, row: Restriction, chosen: str | None, stage: Stage, reader: str) -> RestrictionFate:
        if row.id == chosen:
            return "counts"
        if row.stages and stage not in row.stages:
            return "other_stage"
        if not self._ties.hits(row, reader):
            return "other_buyer"
        return "not_stronger" if restriction_stands(row, self.as_of) else "not_in_force"
