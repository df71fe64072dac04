"""What is wrong with a file, place by place; a reader yields these beside its rows and goes on as far as it can."""

from __future__ import annotations

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One thing in a file that is not as its format wants it.

    `line` is the physical line of the file, 1 for the first; `column` is the column's name as the file prints it,
    empty where the whole line is meant; `value` is what stands there and `expected` what should.
    """

    line: int
    column: str
    value: str
    expected: str


class Skipped(Struct, frozen=True):
    """A line that is as its format wants it and yet no evidence, and in a few words why."""

    line: int
    reason: str


class Unreadable(Exception):
    """A file that cannot be read any further; nothing of what comes after the problem's line is known."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"line {problem.line}: {problem.value}: expected {problem.expected}")
        self.problem = problem
