"""The project's own forms: what a cell may hold, and what is said of one that holds something else."""

from __future__ import annotations

from typing import Any

import pytest

from service.intake import forms
from service.intake.names import MOST_SUGGESTIONS, Names
from service.intake.problems import Problem
from service.wanted import wanted
from service.world.rows import KINDS, Agreement, Country, Mineral, Restriction, Row, Share

HEADER = "source,mineral,stage,period_start,period_end,country,share,printed"
WHOLE = {
    "source": "usgs-mcs-2026",
    "mineral": "cobalt",
    "stage": "extraction",
    "period_start": "2024",
    "period_end": "2024",
    "country": "COD",
    "share": "0.7",
    "printed": "70%",
}


def read(kind: type[Row], *lines: str, **more: Any) -> list[Row | Problem]:
    return list(forms.read(kind, [f"{line}\n" for line in lines], **more))


def share(names: Names | None = None, **cells: str) -> list[Row | Problem]:
    """What becomes of a line about shares with some cells of its own."""
    line = WHOLE | cells
    return read(Share, ",".join(line), ",".join(line.values()), names=names)


def test_a_line_is_a_row() -> None:
    """Columns may be left out where the kind has a default, and stand in any order."""
    (row,) = share()
    assert isinstance(row, Share)
    assert (row.country, row.share, row.quantity, row.unit) == ("COD", 0.7, None, "")


def test_an_empty_cell_is_nothing() -> None:
    (row,) = share(share="", quantity="", printed="W", qualifier="withheld")
    assert isinstance(row, Share)
    assert (row.share, row.quantity, row.printed) == (None, None, "W")


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"share": "2.81"}, "a number from 0 to 1, or nothing"),
        ({"share": "nan"}, "a number from 0 to 1, or nothing"),
        ({"share": "70%"}, "a number from 0 to 1, or nothing"),
        ({"quantity": "inf"}, "a finite number"),
        ({"quantity": "1e400"}, "a number of 0 or more, or nothing"),
        ({"quantity": "-1"}, "a number of 0 or more, or nothing"),
        ({"stage": "mining"}, "one of extraction, processing"),
        ({"stage": ""}, "one of extraction, processing"),
        ({"period_end": "20x4"}, "a whole number from 1900 to 2100, or nothing"),
        ({"country": "Congo"}, "a country's code, such as CHN"),
        ({"mineral": "Cobalt"}, "an id in small letters, such as natural-graphite"),
        ({"qualifier": "guessed"}, "one of '', below, estimated, included_elsewhere, not_available, withheld"),
        ({"printed": "x" * 5000}, "text of at most 4000 characters"),
    ],
)
def test_a_cell_that_holds_something_else_is_a_problem_in_words(cells: dict[str, str], expected: str) -> None:
    """With the line, the column and the value, cut short where it is long."""
    ((column, value),) = cells.items()
    assert share(**cells) == [Problem(2, column, value[:80], expected)]


def test_every_cell_of_a_line_is_looked_at() -> None:
    """So that a shifted line is told in full, not column by column from one attempt to the next."""
    found = share(mineral="extraction", stage="2024", period_start="COD", country="0.7", share="70%")
    assert [item.column for item in found if isinstance(item, Problem)] == ["stage", "period_start", "country", "share"]


def test_other_lines_are_read_all_the_same() -> None:
    line = ",".join(WHOLE.values())
    items = read(Share, HEADER, line, line.replace("0.7", "7"), line)
    assert [type(item) for item in items] == [Share, Problem, Share]


def test_a_column_the_form_does_not_have_is_one_problem() -> None:
    """Said once, at the header, instead of at each line."""
    (problem,) = read(Share, f"{HEADER},weight", *[",".join([*WHOLE.values(), "1"])] * 3)
    assert isinstance(problem, Problem)
    assert (problem.line, problem.column) == (1, "weight")


def test_a_missing_column_is_one_problem() -> None:
    (problem,) = read(Share, "mineral,stage", "cobalt,extraction")
    assert isinstance(problem, Problem)
    assert problem.expected == "a header with country, printed, source"


def test_a_column_given_twice_is_refused() -> None:
    (problem,) = read(Share, f"{HEADER},share", ",".join([*WHOLE.values(), "1"]))
    assert isinstance(problem, Problem)
    assert (problem.line, problem.column) == (1, "share")


def test_lists_are_joined_by_semicolons() -> None:
    header = "id,source,country,type,mineral,stages,targets,valid_from,printed"
    (row,) = read(Restriction, header, "x,s,CHN,ban,cobalt,extraction; processing,USA;EU,2025,a ban")
    assert isinstance(row, Restriction)
    assert (row.stages, row.targets) == (("extraction", "processing"), ("USA", "EU"))
    (problem,) = read(Restriction, header, "x,s,CHN,ban,cobalt,mining,,2025,a ban")
    assert isinstance(problem, Problem)
    assert problem.expected == "a list joined by `;`, each one of extraction, processing"


def test_dates_are_as_precise_as_their_source() -> None:
    (problem,) = read(
        Agreement,
        "id,source,title,type,binding,parties,scope,evidence_level,signed",
        "x,s,T,memorandum,no,USA;PER,all,article,4 Feb 2026",
    )
    assert isinstance(problem, Problem)
    assert (problem.column, problem.expected) == ("signed", "a date: 2026-02-04, 2026-02 or 2026, or nothing")


def test_the_source_may_be_named_once_for_all_rows() -> None:
    """A row that names one keeps its own."""
    given = ",".join([*list(WHOLE)[1:]]), ",".join([*list(WHOLE.values())[1:]])
    own = HEADER, ",".join(WHOLE.values()), "," + given[1]
    assert [row.source for row in read(Share, *given, source="mine") if isinstance(row, Share)] == ["mine"]
    assert [row.source for row in read(Share, *own, source="mine") if isinstance(row, Share)] == [
        "usgs-mcs-2026",
        "mine",
    ]


def test_a_name_in_place_of_a_code_is_answered_with_the_code(names: Names) -> None:
    """A form has codes; whoever writes a name is told the code, or what comes closest to a misspelled one."""
    (known,), (unknown,) = share(names, country="China"), share(names, country="Chinna")
    assert isinstance(known, Problem)
    assert isinstance(unknown, Problem)
    assert known.expected == "the code CHN"
    assert unknown.expected.startswith("a known country; closest known: china (CHN)")


def test_a_map_teaches_names(shipped: list[Row]) -> None:
    """In lists as well."""
    countries = [row for row in shipped if isinstance(row, Country)]
    minerals = [row for row in shipped if isinstance(row, Mineral)]
    taught = Names(countries, minerals, {"Zaire": "COD", "Kobalt": "cobalt"})
    (row,) = share(taught, country="Zaire", mineral="Kobalt")
    assert isinstance(row, Share)
    assert (row.country, row.mineral) == ("COD", "cobalt")


def test_suggestions_come_to_an_end(names: Names) -> None:
    """Each takes milliseconds: a file of nothing but different unknown names must not stall."""
    lines = (
        f"{line}\n" for line in (HEADER, *(",".join((WHOLE | {"country": f"Q{n}"}).values()) for n in range(2000)))
    )
    items = [item for item in forms.read(Share, lines, names=names) if isinstance(item, Problem)]
    assert len(items) == 2000
    assert sum("closest" in item.expected or "nothing known" in item.expected for item in items) <= MOST_SUGGESTIONS


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.kind)
def test_every_kind_says_what_its_columns_take(kind: type[Row]) -> None:
    """No column is described by its pattern, or not at all."""
    for column, column_type in forms.columns_of(kind).types.items():
        said = wanted(column_type)
        assert "another value" not in said, column
        assert "^" not in said, (column, said)
