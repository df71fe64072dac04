"""A file's rows, kind by kind in batches, checked one by one; and all that is wrong with the file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from service.importing.known import Known
from service.importing.model import MOST_COUNTED, Findings
from service.intake.files import HERE, opened
from service.intake.formats import Context, Edition, Reader
from service.intake.problems import Problem, Skipped, Unreadable
from service.intake.tables import LONGEST_LINE, decode
from service.world.rows import Row

BATCH: Final = 2_000
"""Rows handed over together: some megabytes, and some milliseconds of work for whoever takes them."""

YEARS: Final = ("period_end", "year")
"""The columns that say which year a figure speaks of, and ends with."""

NOT_DATED: Final = ("parameter", "rating")
"""Kinds whose year is that of the study which prints them."""

Progress = Callable[[float], None]
"""Told again and again which part of a file has been read, 0 to 1."""


class Batch(NamedTuple):
    """Rows of one kind as tuples of its columns, each with the line it was read from at the end."""

    kind: str
    records: list[tuple[Any, ...]]


class Counted:
    """Lines, counted as they are handed out."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.line = 0

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.line += 1
        return line


def first_line(path: Path) -> bytes:
    """The first line of a file, unpacked. Raises Unreadable for what cannot be a table."""
    with opened(path) as (file, _):
        return file.readline(LONGEST_LINE)


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Reading:
    """One reading of a file: `batches` hands out its rows, `findings` tells what else was found on the way.

    As soon as there is a problem no more rows come, but the reading goes on until all problems are known.
    """

    def __init__(self, path: Path, edition: Edition, context: Context, known: Known, newest: int | None) -> None:
        self.findings = Findings()
        self._path = path
        self._edition = edition
        self._context = context
        self._known = known
        self._newest = newest
        self._lanes: dict[type, _Lane] = {}

    def batches(self, progress: Progress) -> Iterator[Batch]:
        """All rows of the file, however many readers it takes."""
        readers = self._edition.readers
        for place, reader in enumerate(readers):
            if not self.findings.ended:
                yield from self._pass(reader, progress, place / len(readers))
        for problem in self._known.left_over():
            self.findings.add(problem)
        self.findings.read = {lane.kind: lane.count for lane in self._lanes.values()}
        if not self.findings.count and not self.findings.read:
            self.findings.add(Problem(1, "", "no rows", "a row of evidence at least"))
        if not self.findings.count:
            yield from (Batch(lane.kind, lane.rows) for lane in self._lanes.values() if lane.rows)
        progress(1)

    def _pass(self, reader: Reader, progress: Progress, done: float) -> Iterator[Batch]:
        findings, size = self.findings, self._path.stat().st_size * len(self._edition.readers)
        with opened(self._path) as (file, position):
            lines = Counted(decode(file, self._edition.encoding))
            try:
                for place, item in enumerate(reader(lines, self._context)):
                    if place % BATCH == 0:
                        progress(done + position() / size)
                    if isinstance(item, Row):
                        lane = self._take(item, lines.line)
                        if len(lane.rows) == BATCH:
                            yield Batch(lane.kind, lane.rows)
                            lane.rows = []
                    elif isinstance(item, Skipped):
                        findings.skipped[item.reason] += 1
                    else:
                        self._add(item, lines.line)
                    if findings.count >= MOST_COUNTED:
                        findings.ended = True
                        return
            except Unreadable as unreadable:
                self._add(unreadable.problem, lines.line)

    def _take(self, row: Row, line: int) -> _Lane:
        """Puts a row into its lane, if nothing is wrong with it nor with any row before it."""
        lane = self._lanes.get(type(row))
        if lane is None:
            lane = self._lanes[type(row)] = _Lane(type(row), self._known)
        lane.count += 1
        if lane.brings:
            self._known.bring(row)
        values = msgspec.structs.astuple(row)
        if not lane.accepts(values):
            for problem in self._known.strangers(row, line):
                self.findings.add(problem)
        if self._newest is not None and lane.year is not None and (values[lane.year] or 0) > self._newest:
            expected = f"a year to {self._newest}, or a newer edition to be named"
            self.findings.add(Problem(line, "", str(values[lane.year]), expected))
        if self.findings.count:
            lane.rows.clear()
        else:
            lane.rows.append((*values, line))
        return lane

    def _add(self, problem: Problem, line: int) -> None:
        """Takes down a problem; one met while unpacking stands on the line after the last one that was read."""
        self.findings.add(msgspec.structs.replace(problem, line=line + 1) if problem.line == HERE else problem)


class _Lane:
    """The rows of one kind that wait for their batch to be full, and what the columns of the kind have to hold."""

    def __init__(self, kind: type[Row], known: Known) -> None:
        self.kind = kind.kind
        self.count = 0
        self.rows: list[tuple[Any, ...]] = []
        self.brings = kind.kind in known.ids
        columns = kind.__struct_fields__
        self.year = None if kind.kind in NOT_DATED else next((columns.index(y) for y in YEARS if y in columns), None)
        self._names = [(columns.index(column), known.accepted(kind, column)) for column in kind.refers]

    def accepts(self, values: tuple[Any, ...]) -> bool:
        """Whether everything a row refers to was known when the lane was made: the quick answer for most rows."""
        for place, accepted in self._names:
            value = values[place]
            if value not in accepted if type(value) is not tuple else not accepted.issuperset(value):
                return False
        return True
