"""A World built from the one before and what was written since is the World built from all that stands."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from service.http.building import build_warm
from service.store import reading
from service.world.evidence import LISTED, Evidence
from service.world.rows import Share
from service.world.world import World
from tests.properties.test_replay import BUYERS, DAYS, Commits, Ledger, answers

TAKEN_OVER = ("share_sets", "governance", "studies", "agreements", "listings")
"""Parts of a World that stay the same objects in some revisions, and do not in others."""


class Followed(Ledger):
    """A ledger followed as a worker does, one or two revisions at a time."""

    def __init__(self, server: Any, template: str, figures: Counter[str]) -> None:
        super().__init__(server, template)
        self.shown: World | None = None
        self._figures = figures

    def ask(self) -> None:
        """Takes up the newest revision, now and then, and compares."""
        if self.shown is not None and self.head < self.shown.revision + 1 + self.head % 2:
            return
        before, self.shown = self.shown, self.run(self._next())
        whole = self.newest()
        assert written_down(self.shown) == written_down(whole)
        day = date.fromisoformat(DAYS[self.head % len(DAYS)])
        buyer = BUYERS[self.head % len(BUYERS)]
        assert list(answers(self.shown, day, buyer)) == list(answers(whole, day, buyer))
        if before is not None:
            self._figures["steps"] += 1
            self._figures.update(n for n in TAKEN_OVER if getattr(before, n) is getattr(self.shown, n))
            places = self.shown.share_sets.items()
            self._figures["places taken over"] += sum(before.share_sets.get(place) is sets for place, sets in places)

    async def _next(self) -> World:
        if self.shown is None:
            return await self._world(self.head)
        since = await reading.revisions(self._connection, self.shown.revision + 1)
        read = await reading.since(self._connection, self.shown.evidence, since)
        return build_warm(read(), self.shown)


def written_down(world: World) -> dict[str, Any]:
    """All a World is made of, as plain values in their order."""
    return {
        "of": (world.revision, world.committed_at, world.data_version),
        "rows": rows_of(world.evidence),
        "sets": {
            place: [(each.source, each.period, each.rows, each.countries.tolist(), each.named) for each in sets]
            for place, sets in sorted(world.share_sets.items())
        },
        "indexes": [list(world.country_index.items()), list(world.mineral_index.items())],
        "days": (world.event_days, world.undated_days),
        "cited": [(source, list(counts.items())) for source, counts in sorted(world.cited.items())],
        "provisions": list(world.provisions.items()),
        "governance": (world.governance.release, world.governance.years, world.governance.locators.tolist()),
        "estimates": world.governance.estimates.tobytes(),
    }


def rows_of(evidence: Evidence) -> dict[str, list[Any]]:
    """The rows of an Evidence."""
    sets = [each for _, found in sorted(evidence.shares.items()) for each in found]
    assert all(each.count == len(each.rows) for each in sets)
    return {
        **{kind.kind: list(evidence.of(kind)) for kind in LISTED},
        Share.kind: [row for each in sets for row in each.rows],
    }


def test_the_next_world_is_the_one_a_whole_reading_gives(postgres: Any, migrated: str) -> None:
    figures: Counter[str] = Counter()
    examples = type(
        "Examples",
        (Commits,),
        {"open": lambda: Followed(postgres, migrated, figures), "close": lambda ledger: ledger.close()},
    )
    run_state_machine_as_test(
        examples,
        settings=settings(
            max_examples=10,
            stateful_step_count=40,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
        ),
    )
    assert figures["steps"] > 25
    assert all(0 < figures[name] < figures["steps"] for name in TAKEN_OVER)
    assert figures["places taken over"] > figures["share_sets"]
