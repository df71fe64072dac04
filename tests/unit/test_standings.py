"""Ranks and percentiles among minerals."""

from __future__ import annotations

from service.answers.standing import standings


def test_the_riskiest_is_first_and_equals_share_the_better_rank() -> None:
    """Of 90, 50, 50 and 10: 1, 2, 2 and 4; three, one, one and none of the four are lower."""
    found = standings({"low": 10.0, "high": 90.0, "one": 50.0, "other": 50.0})
    assert {name: (place.rank, place.of, place.percentile) for name, place in found.items()} == {
        "high": (1, 4, 75.0),
        "one": (2, 4, 25.0),
        "other": (2, 4, 25.0),
        "low": (4, 4, 0.0),
    }


def test_alone_a_mineral_is_first_and_above_nobody() -> None:
    (only,) = standings({"only": 12.3}).values()
    assert (only.rank, only.of, only.percentile) == (1, 1, 0.0)


def test_where_nothing_has_a_score_nothing_stands_anywhere() -> None:
    assert standings({}) == {}
