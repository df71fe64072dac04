"""The form of the shipped evidence: every row can be read, is there once, and says where it comes from."""

from __future__ import annotations

import csv
import re
from collections import Counter
from typing import Any

import msgspec
import pytest

from service.seeding import SEEDS
from service.world.rows import KINDS, Cited, Row, Source

SHIPPED = [kind for kind in KINDS if (SEEDS / f"{kind.kind}.csv").exists()]
each_kind = pytest.mark.parametrize("kind", SHIPPED, ids=lambda kind: kind.kind)


def key(row: Row) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in row.key)


def test_every_file_is_of_a_kind_of_evidence() -> None:
    """No file is left lying that nothing reads."""
    assert {path.stem for path in SEEDS.glob("*.csv")} == {kind.kind for kind in SHIPPED}


@each_kind
def test_files_are_utf_8_with_lf_and_columns_of_their_kind(kind: type[Row]) -> None:
    """So that a diff shows what was changed and nothing else."""
    content = (SEEDS / f"{kind.kind}.csv").read_bytes()
    text = content.decode("utf-8")
    assert "\r" not in text
    assert text.endswith("\n")
    header = next(csv.reader(text.splitlines()))
    assert len(set(header)) == len(header)
    assert set(header) <= set(kind.__struct_fields__)


@each_kind
def test_every_row_speaks_of_something_else(kind: type[Row], seeds: Any) -> None:
    """Two rows of one key would contradict each other."""
    rows = seeds.of(kind)
    assert rows
    assert [name for name, count in Counter(map(key, rows)).items() if count > 1] == []


@each_kind
def test_whatever_a_row_names_is_there(kind: type[Row], seeds: Any) -> None:
    """Sources, minerals, countries, blocs, agreements: by the ids they have in their own files."""
    for column, targets in kind.refers.items():
        known = {key(row)[0] for row in seeds.rows if row.kind in targets}
        for row in seeds.of(kind):
            value = getattr(row, column)
            named = value if isinstance(value, tuple) else () if value is None else (value,)
            assert set(named) <= known, (row, column)


@pytest.mark.parametrize("kind", ["share", "reserve", "governance", "restriction", "agreement", "listing"])
def test_every_figure_says_where_in_its_source_it_stands(kind: str, seeds: Any) -> None:
    """A table, a line, a page or an address; where a page has no parts, a note says what is on it."""
    assert [row for row in seeds.rows if row.kind == kind and not (row.locator or row.note)] == []


def test_every_source_says_who_published_it_and_on_which_terms(seeds: Any) -> None:
    for source in seeds.of(Source):
        assert source.title, source.id
        assert source.publisher, source.id
        assert source.licence, source.id


def test_no_source_lies_about_unused(seeds: Any) -> None:
    """Each is cited by a row, or named beside one, or says itself why it is there."""
    cited = {row.source for row in seeds.rows if isinstance(row, Cited)}
    texts = [
        text for row in seeds.rows if not isinstance(row, Source) for text in map(str, msgspec.structs.astuple(row))
    ]
    beside = {word for text in texts for word in re.findall(r"[a-z0-9-]+", text)}
    assert [s.id for s in seeds.of(Source) if s.id not in cited | beside and not s.note] == []


def test_no_text_holds_what_it_should_not(seeds: Any) -> None:
    """No path of a disk, no tabs, no line breaks, no spaces at the ends."""
    for row in seeds.rows:
        for value in msgspec.structs.astuple(row):
            for text in value if isinstance(value, tuple) else (value,):
                if isinstance(text, str):
                    assert text == text.strip(), row
                    assert not set(text) & set("\t\r\n"), row
                    assert "file:" not in text, row
                    assert "../" not in text, row
