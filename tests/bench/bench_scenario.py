"""How long a scenario takes: all minerals for the buyers of the G7, in one process over the shipped evidence.

Run: python -m tests.bench.bench_scenario     (BENCH_ROUNDS repeats each, 5 unless told)
Prints milliseconds: the first answer of a fresh World, and the fastest and the median of the rounds after it.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import msgspec

from schemas.scenario import Scenario
from service.answers.contributions import agreement_parts
from service.answers.effect import Effect
from service.answers.scenario import Played
from service.seeding import read_seeds
from service.world.memo import Memo
from service.world.scoring import score_all
from service.world.world import World
from tests.commands import takes_no_arguments
from tests.evidence import world_of

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
DAY = date(2026, 2, 5)
G7 = ["CAN", "DEU", "FRA", "GBR", "ITA", "JPN", "USA"]
LOSS = {"change": "lose_supplier", "country": "CHN"}
TREATY = {"id": "g7-treaty", "type": "trade_agreement", "binding": True, "parties": ["G7"]}
SCENARIOS: dict[str, list[dict[str, Any]]] = {
    "China loses rare-earth processing": [{**LOSS, "minerals": ["rare-earths"], "stage": "processing"}],
    "China loses half of everything": [{**LOSS, "fraction": 0.5}],
    "a treaty among the G7": [{"change": "bring_into_force", "agreement": TREATY}],
    "China's governance at its worst": [{"change": "set_governance", "country": "CHN", "weight": 1.0}],
}
"""Each for all minerals and the seven buyers, one of them every tie of which changes and one every figure."""


def shipped() -> World:
    """The World of the shipped evidence."""
    return world_of(read_seeds())


def play(world: World, changes: list[dict[str, Any]]) -> bytes:
    """A scenario from request to bytes."""
    request = msgspec.convert({"changes": changes, "buyers": G7}, Scenario)
    return msgspec.json.encode(Played.of(world, request, DAY).told(None))


def took(work: Callable[[World], object], world: World) -> list[float]:
    """Milliseconds of each round; the first finds a World in which nothing has been worked out."""
    fresh = replace(world, memo=Memo())
    found = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        work(fresh)
        found.append((time.perf_counter() - begin) * 1e3)
    return found


def row(name: str, work: Callable[[World], object], world: World) -> None:
    """Prints one line of the table."""
    first, *rest = took(work, world)
    print(f"{name:<44} {first:>8.1f} {min(rest):>8.1f} {statistics.median(rest):>8.1f}")


def main() -> None:
    """Measures and prints."""
    world = shipped()
    print(f"{'ms':<44} {'first':>8} {'best':>8} {'median':>8}")
    for name, changes in SCENARIOS.items():
        row(name, lambda fresh, changes=changes: play(fresh, changes), world)
    memorandum = world.agreements["us-argentina-mou-2026"]
    row("the effect of one agreement", lambda fresh: Effect(fresh, memorandum, "USA", DAY).told(), world)
    row("the parts of all agreements", lambda fresh: agreement_parts(fresh, "cobalt", "USA", DAY), world)
    for buyer in ("USA", "EU"):
        row(f"all scores of {buyer}", lambda fresh, buyer=buyer: score_all(fresh, buyer, DAY), world)


if __name__ == "__main__":
    takes_no_arguments(__doc__)
    main()
