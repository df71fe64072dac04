"""GeoPolRisk, from hand-computed numbers."""

import numpy as np
import pytest

from service.risk.methods.geopolrisk import (
    ImportRisk,
    characterisation_factor,
    geopolrisk_score,
    import_risk,
    midpoint,
    production_hhi,
)

YES = np.array([True, True])


def test_concentration_is_taken_of_amounts_in_any_unit() -> None:
    """130, 2, 5 and 2 t of germanium in 2022 (World Mining Data): .876404."""
    assert production_hhi([130, 2, 5, 2]) == pytest.approx(0.876404, abs=1e-6)
    assert production_hhi([130e3, 2e3, 5e3, 2e3]) == pytest.approx(production_hhi([130, 2, 5, 2]))


def test_import_risk_weighs_imports_against_all_supply() -> None:
    """30 t at g = .5 and 50 t at g = .2 beside 20 t of one's own: (15 + 10)/100."""
    assert import_risk([30, 50], [0.5, 0.2], YES, domestic=20) == ImportRisk(0.25, 0.0, ())


def test_imports_of_unknown_governance_are_counted_as_supply_and_flagged() -> None:
    """They add nothing to the sum, and the answer says how much of supply they are."""
    found = import_risk([30, 50], [0.5, 0.9], np.array([True, False]), domestic=20)
    assert found == ImportRisk(0.15, 0.5, ("imports_without_governance",))


def test_no_supply_on_record_is_no_risk_and_flagged() -> None:
    """Neither imports nor production: 0 with a flag, since 0/0 is not a number."""
    assert import_risk([], [], np.array([], dtype=np.bool_), domestic=0) == ImportRisk(0.0, 0.0, ("no_supply",))


def test_cobalt_for_the_usa_in_2022() -> None:
    """HHI .492897, import risk .364180, 53.5425 kUSD/t: score .179504, factor 23.4753 (the method's own table)."""
    score = geopolrisk_score(0.4928971158048766, 0.36418048406731446)
    assert score == pytest.approx(0.1795035102292031)
    assert midpoint(score, 53.5425346285466) == pytest.approx(score * 53.5425346285466)
    assert characterisation_factor(score, 53.5425346285466) == pytest.approx(23.47525391989502)


def test_numbers_that_are_none_are_refused() -> None:
    """Negative or infinite amounts, governance off its scale, lists that do not match, no production at all."""
    with pytest.raises(ValueError, match="imports must"):
        import_risk([-1, 1], [0.5, 0.5], YES, 0)
    with pytest.raises(ValueError, match="governance must"):
        import_risk([1, 1], [0.5, 1.5], YES, 0)
    with pytest.raises(ValueError, match="equally many"):
        import_risk([1, 1], [0.5], YES, 0)
    with pytest.raises(ValueError, match="production must"):
        production_hhi([float("inf")])
    with pytest.raises(ValueError, match="above 0"):
        production_hhi([0, 0])
