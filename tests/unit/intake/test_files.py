"""Files as people hand them in: compressed, cut off, far too long, or something else altogether."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from service.intake.files import GREATEST_RATIO, LARGEST, RATIO_FROM, opened
from service.intake.problems import Problem, Unreadable
from service.intake.tables import LONGEST_LINE, decode, records

TABLE = b"a,b\n" + b"".join(b"%d,x\n" % n for n in range(1000))


def rows(path: Path) -> int:
    with opened(path) as (file, _):
        return sum(1 for _ in decode(file, "utf-8"))


def refusal(path: Path) -> Problem:
    with pytest.raises(Unreadable) as caught:
        rows(path)
    return caught.value.problem


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def test_text_and_gzip_give_the_same_lines(path: Path) -> None:
    """Whatever the file is called."""
    path.write_bytes(TABLE)
    assert rows(path) == 1001
    path.write_bytes(gzip.compress(TABLE))
    assert rows(path) == 1001


def test_the_position_is_that_in_the_file_itself(path: Path) -> None:
    """So that a progress bar tells how much of a compressed file is left."""
    path.write_bytes(gzip.compress(TABLE))
    with opened(path) as (file, position):
        assert position() < path.stat().st_size
        file.read()
        assert position() == path.stat().st_size


def test_an_empty_file_is_refused(path: Path) -> None:
    path.write_bytes(b"")
    assert refusal(path).value == "an empty file"


def test_an_archive_is_refused(path: Path) -> None:
    """A zip archive, and with it a workbook, may hold many files of any size."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("table.csv", TABLE)
    assert refusal(path).value == "a zip archive or a workbook"


@pytest.mark.parametrize("spoil", [lambda data: data[:-20], lambda data: data[:50] + b"\0" * 20 + data[70:]])
def test_a_spoiled_gzip_file_is_refused(path: Path, spoil: object) -> None:
    """Cut off, or damaged on the way."""
    path.write_bytes(spoil(gzip.compress(TABLE)))  # type: ignore[operator]
    assert refusal(path).expected.startswith("a whole gzip file")


def test_a_bomb_is_refused_after_some_megabytes(path: Path) -> None:
    """A hundred megabytes of zeros in a hundred kilobytes: what it would unpack to is never held."""
    with gzip.open(path, "wb") as file:
        for _ in range(100):
            file.write(b"\n" * 1024**2)
    with opened(path) as (file, _):
        assert len(file.read(RATIO_FROM)) == RATIO_FROM
        with pytest.raises(Unreadable, match=f"at most {GREATEST_RATIO} times"):
            file.read(io.DEFAULT_BUFFER_SIZE)


def test_a_file_beyond_any_table_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However little it is compressed."""
    assert LARGEST == 2 * 1024**3
    monkeypatch.setattr("service.intake.files.LARGEST", 1000)
    path.write_bytes(gzip.compress(TABLE))
    assert "at most 1,000 bytes" in refusal(path).expected


def test_a_line_without_an_end_is_refused(path: Path) -> None:
    """Ten million columns are not held in memory to be counted."""
    path.write_bytes(b"a,b\n1,2\n" + b"," * 10_000_000 + b"\n")
    problem = refusal(path)
    assert (problem.line, problem.expected) == (3, f"lines of at most {LONGEST_LINE:,} bytes")
    with opened(path) as (file, _):
        items = list(records(decode(file, "utf-8"), ["a"]))
    assert [item.line for item in items] == [2, 3]


def test_a_quote_that_is_never_closed_is_a_problem(path: Path) -> None:
    path.write_bytes(b'a,b\n1,"2\n' + b"x,y\n" * 100_000)
    with opened(path) as (file, _):
        *_, last = records(decode(file, "utf-8"), ["a"])
    assert isinstance(last, Problem)
    assert last.expected == "comma-separated text"
