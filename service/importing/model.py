"""What is asked of an import, what it finds, and what comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from service.intake.problems import Problem
from service.store.ledger import Revision

MOST_LISTED: Final = 1_000
"""Problems that are listed; more are counted."""

MOST_COUNTED: Final = 10_000
"""Problems after which the reading of a file ends."""


class NotPossible(Exception):
    """An import that cannot begin; `option` is the part of the request that is at fault."""

    def __init__(self, option: str, text: str) -> None:
        super().__init__(text)
        self.option = option


class Request(Struct, frozen=True, kw_only=True):
    """What is asked of an import.

    `name` is what the file is called where it comes from. `source` is the source its rows cite, by default the one the
    publication's `edition` goes by. `corrections` map printed names to codes and ids, `codes` is BACI's file of country
    numbers. A dry run writes nothing and tells how the scores of `buyers` would move.
    """

    format: str
    path: Path
    name: str
    author: str
    source: str | None = None
    edition: str | None = None
    reason: str | None = None
    corrections: Mapping[str, str] = {}
    codes: Path | None = None
    dry_run: bool = False
    buyers: tuple[str, ...] = ()


class Findings:
    """What was found in a file, as far as it has been read.

    `problems` are the first MOST_LISTED of `count`; with `ended` the reading ended before the file did. `read` counts
    rows by kind, `skipped` lines that are no evidence by reason.
    """

    def __init__(self) -> None:
        self.count = 0
        self.read: dict[str, int] = {}
        self.skipped: Counter[str] = Counter()
        self.ended = False
        self._problems: dict[Problem, None] = {}

    @property
    def problems(self) -> list[Problem]:
        """The problems listed, by line."""
        return sorted(self._problems, key=lambda problem: problem.line)

    @property
    def total(self) -> str:
        """How many problems there are, in words, and how many of them are listed."""
        count = f"{'over ' if self.ended else ''}{self.count:,} problem{'s' if self.count > 1 else ''}"
        listed = len(self._problems)
        return f"{count}, the first {listed:,} listed" if listed < self.count else count

    def add(self, problem: Problem) -> None:
        """Takes down a problem; one that a second reader of the same file meets again counts once."""
        if problem not in self._problems:
            self.count += 1
            if len(self._problems) < MOST_LISTED:
                self._problems[problem] = None


class Moved(Struct, frozen=True):
    """A mineral's score for a buyer before and after, unrounded; None where it has none."""

    mineral: str
    buyer: str
    before: float | None
    after: float | None


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of an import.

    `revision` is the one written, None if there were problems or nothing was new; that of a dry run is the one that
    would have been written. `added` and `changed` count its rows by kind.
    """

    findings: Findings
    revision: Revision | None = None
    added: dict[str, int] = {}
    changed: dict[str, int] = {}
    moved: list[Moved] = []
