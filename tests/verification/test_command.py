"""`chokepoint verify`, as a person and as another program run it."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from service.cli import main
from service.seeding import read_seeds, seed
from service.store.ledger import revise
from service.world.rows import Parameter


@pytest.fixture
def verify(ledger: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command against a ledger, which it fills with the shipped evidence the first time."""
    monkeypatch.setenv("CHOKEPOINT_DATABASE_URL", ledger)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["verify", *arguments])

    return run


def test_json_is_a_list_of_rows_over_all_tables(verify: Any) -> None:
    """Names as in the source table, null where a value is not known, computed unrounded."""
    told = verify("--json")
    assert told.exit_code == 0, told.output
    rows = json.loads(told.stdout)
    fields = ["method", "vintage", "material", "stage", "buyer", "published", "computed", "verdict"]
    assert {tuple(row) for row in rows} == {tuple(fields)}
    counts = {(row["method"], row["vintage"]): 0 for row in rows}
    for row in rows:
        counts[row["method"], row["vintage"]] += 1
    assert counts == {("eu-crm", 2023): 123, ("eu-crm", 2017): 79, ("geopolrisk", 2022): 66}
    talc = next(row for row in rows if row["material"] == "Talc, Steatite & Pyrophyllite")
    assert talc["published"] is None
    assert talc["verdict"] == "predicted"
    assert talc["computed"] != round(talc["computed"], 6)


def test_one_method_and_one_vintage(verify: Any) -> None:
    rows = json.loads(verify("--json", "--method", "eu-crm", "--vintage", "2017").stdout)
    assert {(row["method"], row["vintage"]) for row in rows} == {("eu-crm", 2017)}
    assert len(rows) == 79


def test_a_person_reads_rows_reasons_and_sums(verify: Any) -> None:
    told = verify("--method", "eu-crm").stdout
    assert "Arsenic" in told
    assert "known mismatch" in told
    assert "Germanium processing: The EU's own shares repeat the world's" in told
    assert "eu-crm 2023: 57 of 119 rows have a published value; 37 exact, 48 within 0.1" in told
    assert "list rule 2023: 32 materials; by published values 32" in told


def test_a_method_without_a_published_table_says_why(verify: Any) -> None:
    told = verify("--method", "partner-adjusted")
    assert told.exit_code == 0
    assert "nobody else prints it" in told.stdout


def test_an_unknown_method_is_refused_by_name(verify: Any) -> None:
    told = verify("--method", "nix")
    assert told.exit_code == 2
    assert "no method is called 'nix'" in told.stderr


@pytest.fixture
async def spoiled(dsn: str) -> str:
    """The URL of a ledger in which a newer row gives gallium a substitution index that is not the study's."""
    await seed(dsn)
    shipped = (row for row in read_seeds() if isinstance(row, Parameter) and row.source == "eu-crm-2023")
    index = next(row for row in shipped if (row.name, row.label) == ("si_sr", "Gallium"))
    connection = await asyncpg.connect(dsn)
    async with revise(connection, author="test", reason="a slip") as draft:
        await draft.observe([replace(index, value=0.49)])
    await connection.close()
    return dsn


def test_a_row_that_differs_and_is_not_named_ends_with_1(spoiled: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a job that runs it fails."""
    monkeypatch.setenv("CHOKEPOINT_DATABASE_URL", spoiled)
    told = CliRunner().invoke(main, ["verify", "--method", "eu-crm", "--vintage", "2023", "--json"])
    assert told.exit_code == 1
    assert [row["material"] for row in json.loads(told.stdout) if row["verdict"] == "mismatch"] == ["Gallium"]
