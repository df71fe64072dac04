"""The soak in short, with the same code as `make soak`: every answer right, and memory that no leak could pass for."""

from __future__ import annotations

import pytest

from tests.soak import STRETCHES, judged, soak

SECONDS = 25.0
LEAK = 0.4
"""Parts of the plateau that memory may grow by in the second half of so short a run, in which caches still fill."""


def test_a_short_soak_finds_no_wrong_answer_and_no_leak(served: str, reference: str) -> None:
    outcome = soak(served, reference, SECONDS, write_every=0.5, workers=1)
    print(outcome)
    assert outcome.sound(most_growth=LEAK), outcome
    assert outcome.report.checked > 200
    assert outcome.wanderer.asked > 50


def hour(mib_at: list[float]) -> list[tuple[float, float]]:
    """Samples of an hour."""
    return [(place * 3600 / len(mib_at), mib) for place, mib in enumerate(mib_at)]


@pytest.mark.parametrize(
    ("name", "mib_at", "flat"),
    [
        ("level", [200 + place % 3 for place in range(720)], True),
        ("filling at first", [min(200.0, 50 + place) for place in range(720)], True),
        ("a slow leak", [200 + place / 20 for place in range(720)], False),
        ("a saw of one tooth", [200 + (90 if place == 700 else 0) for place in range(720)], False),
        ("swinging too much to tell", [200 + 60 * (place // 30 % 2) for place in range(720)], False),
    ],
)
def test_flat_is_what_does_not_rise(name: str, mib_at: list[float], flat: bool) -> None:
    assert len(mib_at) // 2 >= STRETCHES
    assert judged(name, hour(mib_at)).flat() is flat, judged(name, hour(mib_at))
