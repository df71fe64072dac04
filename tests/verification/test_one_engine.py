"""One engine, two parameter sets: with the EU's trade parameters the default method is the EU equation's core."""

from __future__ import annotations

import math

import numpy as np
import pytest

from service.methods.engine import MixUsed
from service.methods.eu_studies import StudyRow, studies, study_rows
from service.risk.methods.eu_crm import blend
from service.risk.methods.partner_adjusted import StageScores, score_stages
from service.risk.model import Supplier, batch
from service.risk.partners import LADDER, RestrictionType, Tier
from service.risk.sourcing import OwnSupply, own_part, with_own_supply
from service.risk.uncertainty import Doubt
from service.world.world import World

EU_LADDER = LADDER.replace(
    home=0.8, single_market=1.0, binding=1.0, binding_signed=1.0, programme=1.0, memorandum=1.0, forum=1.0
)
"""The EU's reading: 0.8 for its members, 1.0 for everybody else, whatever agreement stands."""


def rows_2023(world: World) -> list[StudyRow]:
    study = next(study for study in studies(world) if study.vintage == 2023)
    return [row for row in study_rows(world, study) if row.components is not None]


def suppliers(mix: MixUsed | None) -> list[Supplier]:
    """A mix in the default method's terms: t below 1 is a tie, above 1 a restriction of that rate."""
    found = []
    for place, supplier in enumerate(mix.suppliers if mix else ()):
        assert supplier.weight is not None
        t = supplier.factor or 1.0
        found.append(
            Supplier(
                share=supplier.amount,
                governance=supplier.weight / 10,
                country=place,
                tier=Tier.HOME if t < 1 else Tier.NONE,
                restriction=RestrictionType.TAX if t > 1 else RestrictionType.NONE,
                rate=t if t > 1 else None,
            )
        )
    return found


def scored(mixes: list[MixUsed | None]) -> StageScores:
    return score_stages(*batch([suppliers(mix) for mix in mixes]), EU_LADDER)


def mix(row: StudyRow, of: str) -> MixUsed | None:
    return next((found for found in row.mixes if found.of == of), None)


def test_with_the_eus_trade_parameters_the_default_score_is_the_core_of_its_supply_risk(shipped: World) -> None:
    """score = 100 · √(core/10), the core being the bracket of SR, for every material and stage of the study.

    Both supplies enter as the study has them: each alone where it names one, both by the import reliance elsewhere.
    """
    rows = rows_2023(shipped)
    assert len(rows) == 118
    world, own = (scored([mix(row, kind) for row in rows]) for kind in ("world_supply", "own_supply"))
    part = np.array([_own_part(row) for row in rows])
    both = with_own_supply(world, _unsampled(own, part))
    for row, score in zip(rows, both.score.tolist(), strict=True):
        assert row.components is not None
        assert row.value is not None
        core = row.value / ((1 - row.components.recycling) * row.components.substitution)
        assert score == pytest.approx(100 * math.sqrt(core / 10), rel=1e-12), row.label


def _own_part(row: StudyRow) -> float:
    assert row.components is not None
    assert row.risk is not None
    if row.risk.basis == "both":
        return float(own_part(row.components.import_reliance or 0.0))
    return 0.0 if row.risk.basis == "world" else 1.0


def _unsampled(own: StageScores, part: np.ndarray) -> OwnSupply:
    certain = np.zeros(len(own.suppliers.share))
    doubt = Doubt(share_sd=certain, governance_sd=certain, stage=np.arange(len(own.h)))
    return OwnSupply(own, doubt, 1, part)


def test_both_methods_weigh_the_own_supply_alike() -> None:
    """H_world · IR/2 + H_own · (1 − IR/2), a negative reliance counting as 0."""
    for reliance in (-0.2, 0.0, 0.3, 1.0):
        part = float(own_part(reliance))
        assert 0.4 * (1 - part) + 0.2 * part == pytest.approx(blend(0.4, 0.2, reliance))
