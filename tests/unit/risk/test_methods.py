"""The registry of methods, and the two that need no governance."""

import math
import os
import subprocess
import sys

import pytest

from service.risk.methods import METHODS
from service.risk.methods.hhi import concentration_score
from service.risk.methods.n_minus_one import without_leader
from service.risk.methods.partner_adjusted import score_stages
from service.risk.model import Supplier, batch


def test_every_method_is_listed_with_its_documentation() -> None:
    """Ids are stable and the default comes first; each says its equation's parameters, source and limits."""
    assert list(METHODS) == ["partner-adjusted", "eu-crm", "geopolrisk", "hhi", "n-1", "available-to-market"]
    for method in METHODS.values():
        assert method.version >= 1
        assert method.title
        for part in ("Parameters", "Source", "Limits"):
            assert part in method.docs


def test_concentration_alone_is_the_default_score_with_every_weight_at_one() -> None:
    """Shares .74, .10, .03: the same number by either method."""
    shares = [0.74, 0.10, 0.03]
    everyone_worst = score_stages(*batch([[Supplier(share, 1.0) for share in shares]]))
    assert concentration_score(0.5585) == pytest.approx(float(everyone_worst.score[0]))
    assert concentration_score(0.5585) == pytest.approx(100 * math.sqrt(0.5585))


def test_without_the_largest_supplier_both_readings_are_offered() -> None:
    """A leader of 60 % that uses 20 % itself: 40 % of the world's demand is met, half of everybody else's."""
    found = without_leader([0.6, 0.3], leader_demand=0.2)
    assert (found.world, found.others) == pytest.approx((0.4, 0.5))
    assert (found.world_score, found.others_score) == pytest.approx((60, 50))
    assert not found.remainder_could_lead


def test_without_the_leaders_own_demand_only_one_reading_is_offered() -> None:
    """What is not known is not filled in."""
    found = without_leader([0.6, 0.4])
    assert (found.others, found.others_score) == (None, None)


def test_an_unnamed_supplier_may_be_the_largest() -> None:
    """30 % named and 70 % not: the figure says that it may have lost the wrong one."""
    assert without_leader([0.3]).remainder_could_lead


def test_demand_met_in_full_scores_nothing() -> None:
    """Everybody else may have more than they need once the leader's demand is gone."""
    assert without_leader([0.3, 0.7], leader_demand=0.9).others_score == 0


def test_nobody_to_lose_is_refused() -> None:
    """No share, no largest supplier."""
    with pytest.raises(ValueError, match="at least one supplier"):
        without_leader([])


def test_the_core_is_importable_alone() -> None:
    """Importing every part of the core brings in nothing of the project but the core."""
    code = (
        "import sys, service.risk.intervals, service.risk.governance, service.risk.concentration, service.risk.methods;"
        "print(*(name for name in sys.modules if name.startswith('service.') and not name.startswith('service.risk')),"
        "*(name for name in ('msgspec', 'litestar', 'asyncpg') if name in sys.modules))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.strip() == ""
