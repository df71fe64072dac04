"""How risky it is for a buyer to depend on a mineral, given who supplies it, who governs there, and what ties exist.

For each stage with known shares s of the countries c:

    H     = Σ s² · g · t
    score = 100 · min(1, √H)

and the mineral's score is the highest of its stages' scores; the stage that gives it is the binding stage. A score
of 60 means: as if 60 % of the world's output came from a single, worst-governed foreign country with no tie to the
buyer. There is no other multiplier, floor or clip.

Parameters
    s  fraction 0..1 of world output of the mineral at the stage, from one source's picture of one period
    g  governance weight 0..1, 1 = worst: (2.5 − mean of the six Worldwide Governance Indicators)/5, the EU's scale /10
    t  partner factor τ·(1 + (r − 1)(1 − ρ)) from the ladder of ties (τ ≤ 1) and restrictions (r ≥ 1); ρ is 1 where a
       binding clause in force forbids the restriction. The ladder is a convention of this project, published with the
       method and open to override: no published method grades how binding an agreement is

Source
    The equation is the core of the EU's supply risk (guidelines of 2017) on a scale a person can read. The EU's
    threshold SR = 1.0 falls on 31.6 here (√0.1).

Whose supply
    mix=world, the default: the world's, as above. mix=sourcing: H = H_world · IR/2 + H_own · (1 − IR/2), as in the EU's
    equation, where a source prints by country where the buyer gets the mineral, and its import reliance IR; H_own is
    Σ s² · g · t over the buyer's own supply. Where only imports are printed by country, 1 − IR of it is from home. The
    world's supply counts alone elsewhere, and where less than half of the own one is both named and governed. The
    answer says which was used, and prints both supplies

Bands
    low < 20 ≤ moderate < 31.6 (√0.1) ≤ high < 50 ≤ severe < 70.7 (√0.5) ≤ extreme, on the unrounded score

What is missing
    The unreported remainder, a supplier whose share is withheld and a supplier without a governance figure add
    nothing to the score; each raises a flag and adds its worst case to the upper end of the interval. A stage without
    a known share, or with less than half of output both named and governed, has no score (insufficient_data). A
    mineral with such a stage beside a scored one is flagged understated: the stage left out may be the one that binds.
    Shares that sum to more than 1 are used as printed and flagged; their split by tie is divided by that sum.

Limits
    Territory is not ownership; a share says where output stands, not who commands it. Stocks, substitution, recycling,
    price and the time a substitute supplier needs do not enter. The score compares; it does not forecast.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from service.risk.model import Band, Concentration, Flag, MineralResult, Reason, StageResult, Suppliers
from service.risk.numbers import Bools, Floats, Groups, Ints
from service.risk.partners import BUCKET_OF_TIER, BUCKETS, LADDER, Ladder
from service.risk.terms import Terms

ID = "partner-adjusted"
VERSION = 1
TITLE = "Concentration, governance and partner agreements"

BANDS: tuple[tuple[Band, float], ...] = (
    ("low", 20.0),
    ("moderate", 100 * math.sqrt(0.1)),
    ("high", 50.0),
    ("severe", 100 * math.sqrt(0.5)),
    ("extreme", math.inf),
)
"""Each band and the score below which it ends; 100·√0.1 is where the EU's SR = 1.0 falls."""


def band(score: float) -> Band:
    """The band of an unrounded score; a score on a threshold belongs to the band above it."""
    if not 0 <= score <= 100:
        raise ValueError(f"a score lies within 0..100, got {score}")
    return next(name for name, end in BANDS if score < end)


def scale(h: Floats) -> Floats:
    """100·min(1, √H): a concentration on the scale of the score."""
    return np.asarray(100 * np.minimum(1.0, np.sqrt(h)))


@dataclass(frozen=True, eq=False)
class StageScores:
    """Every stage of a batch for one buyer, one entry per stage.

    sufficient   whether the stage has a score; `score` means nothing elsewhere
    """

    suppliers: Suppliers
    terms: Terms
    ladder: Ladder
    h: Floats
    score: Floats
    sufficient: Bools

    @cached_property
    def factor_of_kind(self) -> Floats:
        """t of each kind of terms that is present."""
        return self.terms.central(self.ladder)

    @cached_property
    def factor(self) -> Floats:
        """t of each supplier row."""
        return self.factor_of_kind[self.terms.place]

    @cached_property
    def contribution(self) -> Floats:
        """s²·g·t of each supplier row, which add up to `h` stage by stage."""
        return self.suppliers.scored_weight * self.factor

    @cached_property
    def _split(self) -> list[list[float]]:
        split: list[list[float]] = self.by_kind(self.suppliers.part).tolist()
        return split

    def coverage(self, index: int) -> dict[str, float]:
        """How a stage's output splits into BUCKETS, which sum to 1, and what is `restricted`, across all of them.

        Shares beyond the whole are divided by their sum, which is flagged.
        """
        split, restricted = dict.fromkeys(BUCKETS, 0.0), 0.0
        for kind, part in zip(self.terms.present, self._split[index], strict=True):
            split[BUCKET_OF_TIER[kind.tier]] += part
            if kind.restricted:
                restricted += part
        return split | {"unreported": float(self.suppliers.remainder[index]), "restricted": restricted}

    def by_kind(self, values: Floats) -> Floats:
        """The sum of the rows' `values` in each stage by kind of terms (stages × the kinds that are present)."""
        stages, kinds = self.suppliers.stages, len(self.terms.present)
        cells = stages.index * kinds + self.terms.place
        sums = np.bincount(cells, weights=values, minlength=stages.count * kinds).astype(np.float64, copy=False)
        return sums.reshape(stages.count, kinds)

    @property
    def flags(self) -> Mapping[Flag, Bools]:
        """Which stages raise which flag about their figures."""
        return self.suppliers.flags

    def only(self, stages: range, suppliers: Suppliers, terms: Terms | None = None) -> StageScores:
        """Some neighbouring stages; `suppliers` and `terms` are theirs, taken once for many."""
        each = slice(stages.start, stages.stop)
        return StageScores(
            suppliers=suppliers,
            terms=terms or self.terms.only(self.suppliers.stages.rows(stages)),
            ladder=self.ladder,
            h=self.h[each],
            score=self.score[each],
            sufficient=self.sufficient[each],
        )

    def stage(self, index: int) -> StageResult:
        """One stage of the batch in plain numbers."""
        rows = self.suppliers.stages.rows(range(index, index + 1))
        scored = bool(self.sufficient[index])
        score = float(self.score[index]) if scored else None
        return StageResult(
            status="scored" if scored else "insufficient_data",
            reasons=self.reasons(index),
            flags=tuple(flag for flag, raised in self.flags.items() if raised[index]),
            score=score,
            band=None if score is None else band(score),
            h=float(self.h[index]),
            partner_factors=tuple(self.factor[rows].tolist()),
            contributions=tuple(self.contribution[rows].tolist()),
            concentration=self._concentration(index, rows.start),
            coverage=self.coverage(index),
        )

    def reasons(self, index: int) -> tuple[Reason, ...]:
        """Why a stage has no score; empty where it has one."""
        if self.sufficient[index]:
            return ()
        return ("less_than_half_named_and_governed",) if self.suppliers.named[index] > 0 else ("no_shares",)

    def _concentration(self, index: int, first_row: int) -> Concentration:
        hhi, top = self.suppliers.hhi, int(self.suppliers.top[index])
        low = float(hhi.low[index])
        return Concentration(
            hhi=low if top >= 0 else None,
            hhi_low=low,
            hhi_high=float(hhi.high[index]),
            hhi_tight=float(hhi.tight[index]),
            effective_suppliers=1 / low if low >= sys.float_info.min else None,
            top=top - first_row if top >= 0 else None,
            top_share=float(self.suppliers.share[top]) if top >= 0 else None,
            named_share=float(self.suppliers.named[index]),
        )


def score_stages(suppliers: Suppliers, terms: Terms, ladder: Ladder = LADDER) -> StageScores:
    """Score every stage of a batch for one buyer; `terms` has one entry per row of `suppliers`."""
    if len(terms.kind) != len(suppliers.share):
        raise ValueError("terms and suppliers must have the same rows")
    h = suppliers.stages.sum(suppliers.scored_weight * terms.factors(ladder))
    return StageScores(suppliers, terms, ladder, h=h, score=scale(h), sufficient=suppliers.sufficient)


@dataclass(frozen=True, eq=False)
class MineralScores:
    """Every mineral of a batch for one buyer: the stages of each are those known to exist, with or without data.

    sufficient     whether the mineral has a score; `score` means nothing elsewhere
    binding_stage  the position of the stage that gives the score, −1 without one; of equal stages the first
    understated    whether a stage of a scored mineral has no score
    """

    stages: StageScores
    minerals: Groups
    score: Floats
    sufficient: Bools
    binding_stage: Ints
    understated: Bools

    def only(self, index: int, suppliers: Suppliers, minerals: Groups, terms: Terms) -> MineralScores:
        """One mineral; `suppliers`, `minerals` and `terms` are those of its stages, taken once for many."""
        members, each = self.stages_of(index), slice(index, index + 1)
        return MineralScores(
            stages=self.stages.only(members, suppliers, terms),
            minerals=minerals,
            score=self.score[each],
            sufficient=self.sufficient[each],
            binding_stage=np.maximum(self.binding_stage[each] - members.start, -1),
            understated=self.understated[each],
        )

    def stages_of(self, index: int) -> range:
        """The stages of a mineral."""
        found = self.minerals.rows(range(index, index + 1))
        return range(found.start, found.stop)

    def mineral(self, index: int) -> MineralResult:
        """One mineral of the batch in plain numbers."""
        scored = bool(self.sufficient[index])
        score = float(self.score[index]) if scored else None
        found: dict[Reason, None] = {
            reason: None for stage in self.stages_of(index) for reason in self.stages.reasons(stage)
        }
        return MineralResult(
            status="scored" if scored else "insufficient_data",
            reasons=() if scored else tuple(found) or ("no_shares",),
            flags=("understated",) if self.understated[index] else (),
            score=score,
            band=None if score is None else band(score),
            binding_stage=int(self.binding_stage[index]) if scored else None,
        )


def score_minerals(stages: StageScores, minerals: Groups) -> MineralScores:
    """Score every mineral of a batch; `minerals` says which mineral each stage belongs to, stages standing together."""
    if len(minerals.index) != len(stages.score) or not minerals.consecutive:
        raise ValueError("minerals needs one entry per stage, mineral after mineral")
    candidates = np.where(stages.sufficient, stages.score, -np.inf)
    highest = minerals.largest(candidates)
    sufficient = np.isfinite(highest)
    binds = stages.sufficient & (candidates == highest[minerals.index])
    binding = np.full(minerals.count, -1, dtype=np.int64)
    first = np.flatnonzero(binds)[::-1]
    binding[minerals.index[first]] = first
    return MineralScores(
        stages=stages,
        minerals=minerals,
        score=np.where(sufficient, highest, 0.0),
        sufficient=sufficient,
        binding_stage=binding,
        understated=sufficient & minerals.any(~stages.sufficient),
    )
