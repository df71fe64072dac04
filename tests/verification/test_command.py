"""`chokepoint verify`, as a person and as another program run it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from service.cli import main


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
