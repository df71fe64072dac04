"""One line of the table of docs/speed.md, and how it is told."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
"""How often everything is measured, in turn: BENCH_ROUNDS."""


@dataclass(frozen=True)
class Row:
    """What was measured: a figure, its spread over the rounds, the bar it is held to, and how it came about."""

    what: str
    value: float
    low: float
    high: float
    bar: str
    detail: str
    unit: str = "×"

    @property
    def kept(self) -> bool | None:
        """Whether the figure keeps to its bar, which reads `≥ 0.80` or `≤ 10`; None without a bar."""
        relation, _, limit = self.bar.partition(" ")
        if relation not in ("≥", "≤"):
            return None
        bound = float(limit.replace(",", ""))
        return self.value >= bound if relation == "≥" else self.value <= bound

    def __str__(self) -> str:
        sign = {True: "kept", False: "MISSED", None: ""}[self.kept]
        return (
            f"{self.what:<66} {_told(self.value):>9} {self.unit:<4} ({_told(self.low)} … {_told(self.high)}) "
            f"{self.bar:>9} {sign:<6} {self.detail}"
        )

    def in_markdown(self) -> str:
        """The line of a table."""
        sign = {True: " ✓", False: " ✗", None: ""}[self.kept]
        measured = f"**{_told(self.value)} {self.unit}**, {_told(self.low)} to {_told(self.high)}"
        return f"| {self.what} | {measured} | {self.bar or '—'}{sign} | {self.detail} |"


def _told(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def row_of(what: str, values: Sequence[float], bar: str, detail: str, unit: str = "×") -> Row:
    """The row of figures of the rounds: their median, least and largest."""
    return Row(what, statistics.median(values), min(values), max(values), bar, detail, unit)
