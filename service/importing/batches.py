"""A file's rows, kind by kind in batches, checked one by one; and all that is wrong with the file."""

from __future__ import annotations

import hashlib
from collections import defaultdict
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
        self._rows: defaultdict[str, list[tuple[Any, ...]]] = defaultdict(list)

    def batches(self, progress: Progress) -> Iterator[Batch]:
        """All rows of the file, however many readers it takes."""
        readers = self._edition.readers
        for place, reader in enumerate(readers):
            if not self.findings.ended:
                yield from self._pass(reader, progress, place / len(readers))
        for problem in self._known.left_over():
            self.findings.add(problem)
        if not self.findings.count and not self.findings.read:
            self.findings.add(Problem(1, "", "no rows", "a row of evidence at least"))
        if not self.findings.count:
            yield from (Batch(kind, records) for kind, records in self._rows.items() if records)
        progress(1)

    def _pass(self, reader: Reader, progress: Progress, done: float) -> Iterator[Batch]:
        size = self._path.stat().st_size * len(self._edition.readers)
        with opened(self._path) as (file, position):
            lines = Counted(decode(file, self._edition.encoding))
            try:
                for place, item in enumerate(reader(lines, self._context)):
                    if place % BATCH == 0:
                        progress(done + position() / size)
                    yield from self._take(item, lines.line)
                    if self.findings.count >= MOST_COUNTED:
                        self.findings.ended = True
                        return
            except Unreadable as unreadable:
                self._add(unreadable.problem, lines.line)

    def _take(self, item: Row | Problem | Skipped, line: int) -> Iterator[Batch]:
        if isinstance(item, Problem):
            self._add(item, line)
            return
        if isinstance(item, Skipped):
            self.findings.skipped[item.reason] += 1
            return
        self.findings.read[item.kind] += 1
        for problem in self._known.strangers(item, line):
            self.findings.add(problem)
        if self._newest is not None and (year := _year(item)) is not None and year > self._newest:
            self.findings.add(Problem(line, "", str(year), f"a year to {self._newest}, or a newer edition to be named"))
        if self.findings.count:
            self._rows.clear()
            return
        rows = self._rows[item.kind]
        rows.append((*msgspec.structs.astuple(item), line))
        if len(rows) == BATCH:
            del self._rows[item.kind]
            yield Batch(item.kind, rows)

    def _add(self, problem: Problem, line: int) -> None:
        """Takes down a problem; one met while unpacking stands on the line after the last one that was read."""
        self.findings.add(msgspec.structs.replace(problem, line=line + 1) if problem.line == HERE else problem)


def _year(row: Row) -> int | None:
    """The last year a figure speaks of; what a study's parameters and ratings are dated by is its own year."""
    if row.kind in ("parameter", "rating"):
        return None
    year: int | None = getattr(row, "period_end", None) or getattr(row, "year", None)
    return year
