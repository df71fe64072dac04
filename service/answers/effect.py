"""What one agreement does to a buyer's scores: every mineral it touches, with it and without it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from schemas.effect import AgreementEffect, MineralEffect, Reason, SupplierEffect
from service.answers.difference import Compared, Side
from service.answers.ladder import overridden
from service.answers.names import Names
from service.answers.rounding import seen, share
from service.answers.score import METHOD, TIES
from service.answers.stamp import stamp
from service.risk.partners import LADDER, Ladder, Tier, tier_of
from service.world.scenario.agreements import without
from service.world.scoring import Scored, score_all
from service.world.sheet import share_sheet
from service.world.standing import Ties, status_on

if TYPE_CHECKING:
    from datetime import date

    from service.world.rows import Agreement
    from service.world.sheet import Place
    from service.world.world import World


@dataclass(frozen=True)
class Effect:
    """An agreement and a buyer on a day, with the scores there are and those there would be without it."""

    world: World
    agreement: Agreement
    buyer: str
    as_of: date
    ladder: Ladder = LADDER

    @cached_property
    def ties(self) -> Ties:
        """Who is tied to whom on the day."""
        return Ties(self.world, self.as_of)

    @cached_property
    def other(self) -> World:
        """The World without the agreement."""
        world = without(self.world, self.agreement.id)
        share_sheet(self.world, world, self.as_of)
        return world

    @cached_property
    def as_is(self) -> Scored:
        """The scores there are."""
        return score_all(self.world, self.buyer, self.as_of, self.ladder)

    @cached_property
    def without(self) -> Scored:
        """The scores there would be."""
        return score_all(self.other, self.buyer, self.as_of, self.ladder)

    @cached_property
    def members(self) -> frozenset[str]:
        """The countries the buyer stands for."""
        return self.ties.expand(self.buyer) or frozenset((self.buyer,))

    @cached_property
    def tied(self) -> dict[str, frozenset[str]]:
        """The countries the agreement ties each member of the buyer to; members it ties to nobody are left out."""
        reached = ((member, self.ties.partners(self.agreement, member)) for member in sorted(self.members))
        return {member: partners - self.members for member, partners in reached if partners - self.members}

    @cached_property
    def partners(self) -> frozenset[str]:
        """The countries the agreement ties the buyer to."""
        return frozenset().union(*self.tied.values())

    def told(self) -> AgreementEffect:
        """The whole answer."""
        status = status_on(self.agreement, self.as_of)
        candidates = self.partners or self.ties.all_of(self.agreement.parties) - self.members
        covered = frozenset().union(*(self.ties.covered(self.agreement, each) for each in self.tied or [self.buyer]))
        supplied = {mineral: rows for mineral in sorted(covered) if (rows := self._rows(mineral, candidates))}
        return AgreementEffect(
            **stamp(self.world, self.as_of),
            agreement=self.agreement.id,
            title=self.agreement.title,
            buyer=self.buyer,
            method=METHOD,
            status=status,
            tie=TIES[tier_of(self.agreement.type, self.agreement.binding, status)],
            ladder=overridden(self.ladder),
            partners=sorted(self.partners),
            minerals=[self._mineral(mineral, rows) for mineral, rows in supplied.items()],
            not_supplied=sorted(covered - supplied.keys()),
        )

    def _rows(self, mineral: str, countries: frozenset[str]) -> list[tuple[Place, int]]:
        """The supplier rows of some countries that have a share, as their stage and their place on the sheet."""
        sheet = self.as_is.sheet
        return [
            (place, place.rows.start + at)
            for place in (sheet.places[index] for index in sheet.places_of[mineral])
            if place.shares is not None
            for at, row in enumerate(place.shares.rows)
            if row.country in countries and row.share
        ]

    def _mineral(self, mineral: str, rows: list[tuple[Place, int]]) -> MineralEffect:
        compared = Compared(Side(self.without, mineral, self.as_of), Side(self.as_is, mineral, self.as_of))
        suppliers = [self._supplier(place, at) for place, at in rows]
        reasons = [] if compared.difference else [self._reason(compared, suppliers)]
        return MineralEffect(
            mineral=mineral,
            name=self.world.minerals[mineral].name_en,
            without=compared.before.outcome,
            as_is=compared.after.outcome,
            difference=seen(compared.difference),
            difference_unrounded=compared.difference,
            interval=compared.interval(),
            reasons=reasons,
            explanation=self._explanation(reasons[0], suppliers) if reasons else "",
            stages=compared.stages(),
            suppliers=suppliers,
        )

    def _supplier(self, place: Place, at: int) -> SupplierEffect:
        assert place.shares is not None
        row = place.shares.rows[at - place.rows.start]
        standing, before = _named(self.world, self.as_is, at), _named(self.other, self.without, at)
        return SupplierEffect(
            country=row.country,
            stage=place.stage,
            share=share(row.share or 0.0),
            counts=standing == self.agreement.id,
            tie=TIES[self.as_is.terms.at(at).tier],
            standing=standing,
            tie_without=TIES[self.without.terms.at(at).tier],
            standing_without=before,
            partner_factor=share(float(self.as_is.scores.stages.factor[at])),
            partner_factor_without=share(float(self.without.scores.stages.factor[at])),
        )

    def _reason(self, compared: Compared, suppliers: list[SupplierEffect]) -> Reason:
        """Why nothing moves: the first reason that is enough by itself."""
        status = status_on(self.agreement, self.as_of)
        if not self.tied:
            return "not_a_party"
        if status not in ("signed", "in_force"):
            return "not_in_force"
        if tier_of(self.agreement.type, self.agreement.binding, status) is Tier.NONE:
            return "ties_nobody"
        if len(self.tied) < len(self.members):
            return "not_every_member"
        if compared.difference is None:
            return "no_score"
        if not any(supplier.counts for supplier in suppliers) and compared.same:
            return "another_tie_stands"
        return "not_the_binding_stage" if any(s.difference for s in compared.stages()) else "adds_nothing"

    def _explanation(self, reason: Reason, suppliers: list[SupplierEffect]) -> str:
        if reason == "not_in_force":
            dates = (f"{name} {when}" for name in _DATES if (when := getattr(self.agreement, name)))
            told = ", ".join(name.replace("_", " ") for name in dates)
            return f"on {self.as_of} it is {status_on(self.agreement, self.as_of).replace('_', ' ')} ({told})"
        if reason == "another_tie_stands":
            standing = dict.fromkeys((s.country, s.standing or s.tie.replace("_", " "), s.tie) for s in suppliers)
            named = "; ".join(f"to {country} {tie} stands ({rung})" for country, tie, rung in standing)
            return f"{named}: ties never stack, and this one is no stronger"
        return _WORDS[reason]


_DATES = ("signed", "in_force", "suspended", "resumed", "ended")
_WORDS: dict[Reason, str] = {
    "not_a_party": "it ties this buyer to none of the suppliers",
    "ties_nobody": "an instrument of its kind lifts restrictions and ties nobody",
    "not_every_member": "a bloc is read by its weakest member, and not every member is a party",
    "no_score": "the mineral has no score for lack of data",
    "not_the_binding_stage": "it moves a stage that does not give the mineral's score",
    "adds_nothing": "the suppliers it makes the tie to add nothing to the score",
}


def _named(world: World, scored: Scored, at: int) -> str | None:
    """The agreement that makes the tie of a supplier row."""
    return Names.of(world).agreements[int(scored.position.agreement[at])]
