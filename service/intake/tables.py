"""Published tables as text: decoding, the header, the number of columns.

A file that is not as published is found here, so that readers may trust what they get: a wrong encoding and a missing
column end the reading with one Problem, a line of the wrong length is a Problem of its own.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from typing import BinaryIO, NamedTuple

from service.intake.problems import Problem, Unreadable

LONGEST_LINE = 65_536
"""Bytes a line may have; the longest in a published file has under 4,000."""

MOST_LINES = 50_000_000
"""Lines a file may have; a year of BACI, the longest published table, has 11 million."""

SHOWN = 80
"""Characters of an offending value that a Problem repeats."""


class Record(NamedTuple):
    """One line of a table by column name; `line` is where it starts in the file."""

    line: int
    fields: dict[str, str]


def decode(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The file's lines as text; bytes that `encoding` does not know become U+FFFD, which `records` reports.

    Raises Unreadable where a line or the file does not end in time: what a file can take stays bounded.
    """
    for number, line in enumerate(iter(partial(file.readline, LONGEST_LINE), b""), start=1):
        text = line.decode(encoding, errors="replace")
        encoding = encoding.removesuffix("-sig")  # the mark stands before the first line only
        if len(line) == LONGEST_LINE and not text.endswith("\n"):
            raise Unreadable(Problem(number, "", text[:SHOWN], f"lines of at most {LONGEST_LINE:,} bytes"))
        if number > MOST_LINES:
            raise Unreadable(Problem(number, "", text[:SHOWN], f"at most {MOST_LINES:,} lines"))
        yield text


def records(lines: Iterable[str], columns: Sequence[str]) -> Iterator[Record | Problem]:
    """The table's lines as Records, provided that its header has all of `columns`. Line numbers are the file's."""
    header: list[str] | None = None
    line = 1
    for item in _values(lines):
        if isinstance(item, Problem):
            yield item
            return
        values, next_line = item
        misread = None if _is_plain("".join(values)) else next((value for value in values if _is_misread(value)), None)
        if misread is not None:
            yield Problem(line, "", misread[:SHOWN], "text in the encoding this file is published in")
            return
        if header is None:
            header = [name.strip() for name in values]
            if not set(header).issuperset(columns):
                break
            if twice := next((name for name in header if name and header.count(name) > 1), None):
                yield Problem(line, twice, twice[:SHOWN], "columns of different names")
                return
        elif len(values) == len(header):
            yield Record(line, dict(zip(header, values, strict=True)))
        elif values:
            yield Problem(line, "", f"{len(values)} columns", f"{len(header)} columns")
        line = next_line
    missing = [name for name in columns if name not in (header or [])]
    if missing:
        yield Problem(1, "", ",".join(header or [])[:SHOWN], f"a header with {', '.join(missing)}")


def headed(lines: Iterable[str]) -> tuple[str, set[str], Iterator[str]]:
    """A file's first line, the headings on it, and all of its lines: for formats that tell by them how they print."""
    rest = iter(lines)
    header = next(rest, "")
    return header, {name.strip().strip('"') for name in header.split(",")}, chain([header], rest)


def finite(printed: str) -> float | None:
    """A finite number as printed, or None for anything else."""
    try:
        number = float(printed)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def amount(printed: str) -> float | None:
    """A finite number of 0 or more as printed, or None for anything else."""
    number = finite(printed)
    return number if number is not None and number >= 0 else None


def _values(lines: Iterable[str]) -> Iterator[tuple[list[str], int] | Problem]:
    """Each record's values and the line after it (a quoted value may run over several); a Problem ends it."""
    rows = csv.reader(lines, strict=True)
    try:
        for values in rows:
            yield values, rows.line_num + 1
    except csv.Error as error:
        yield Problem(rows.line_num, "", str(error), "comma-separated text")
    except Unreadable as error:
        yield error.problem


def _is_plain(text: str) -> bool:
    """Whether text is the same in every encoding: the quick answer for most lines."""
    return text.isascii() and "\0" not in text


def _is_misread(text: str) -> bool:
    """Whether text was decoded with the wrong encoding: by its marks, or because it is UTF-8 read as Windows-1252."""
    if "\ufffd" in text or "\0" in text:
        return True
    if text.isascii():
        return False
    try:
        text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return False
    return True
