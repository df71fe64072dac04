"""`chokepoint import` and `chokepoint retract` as an analyst meets them in a terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from service.cli import main

Run = Callable[..., Result]

SHARES = """\
source,mineral,stage,period_start,period_end,country,share,printed
usgs-mcs-2026,gallium,processing,2024,2024,CHN,0.9,90%
usgs-mcs-2026,gallium,processing,2024,2024,CAN,0.05,5%
"""


@pytest.fixture
def run(ledger_dsn: str) -> Run:
    """Runs the program on a ledger of the test's own."""

    def ran(*arguments: str | Path) -> Result:
        return CliRunner().invoke(main, [str(each) for each in arguments], env={"CHOKEPOINT_DATABASE_URL": ledger_dsn})

    return ran


@pytest.fixture
def shares(tmp_path: Path) -> Path:
    path = tmp_path / "shares.csv"
    path.write_text(SHARES, encoding="utf-8")
    return path


def test_an_import_tells_its_revision_and_a_second_one_that_nothing_is_new(run: Run, shares: Path) -> None:
    """Both end well."""
    first, second = run("import", "form:share", shares), run("import", "form:share", shares)
    assert (first.exit_code, first.stdout) == (0, "revision 2: share: 2 added, 0 changed\n")
    assert (second.exit_code, second.stdout) == (0, "nothing new: the ledger holds all of it already (2 share)\n")


def test_a_dry_run_tells_what_would_change(run: Run, shares: Path) -> None:
    """Scores included; afterwards the ledger is as before."""
    shown = run("import", "form:share", shares, "--dry-run", "--buyer", "DEU")
    assert shown.exit_code == 0, shown.output
    assert shown.stdout == (
        "would be revision 2: share: 2 added, 0 changed\nno score of DEU would move\n"  # nothing is governed here
    )
    assert "2 added" in run("import", "form:share", shares).stdout


def test_a_spoiled_file_is_told_line_by_line(run: Run, shares: Path) -> None:
    """On stdout, for tools; how many there are on stderr; the exit code is 1."""
    shares.write_text(SHARES.replace("0.9,", "2.81,").replace("CAN", "Kanada"), encoding="utf-8")
    told = run("import", "form:share", shares)
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "shares.csv:2: share '2.81': expected a number from 0 to 1, or nothing",
        "shares.csv:3: country 'Kanada': expected a known country; "
        "closest known: canada (CAN), uganda (UGA), rwanda (RWA)",
    ]
    assert told.stderr.endswith("shares.csv: 2 problems; nothing was changed\n")


def test_a_map_teaches_a_name(run: Run, shares: Path, tmp_path: Path) -> None:
    """What it says a name means is taken; a map that is none is refused."""
    shares.write_text(SHARES.replace("CAN", "Kanada"), encoding="utf-8")
    mapping = tmp_path / "names.csv"
    mapping.write_text("printed,meant\nKanada,CAN\n", encoding="utf-8")
    assert run("import", "form:share", shares, "--map", mapping).exit_code == 0
    mapping.write_text("from,to\n", encoding="utf-8")
    refused = run("import", "form:share", shares, "--map", mapping)
    assert (refused.exit_code, refused.stderr) == (2, "chokepoint: names.csv: expected the columns printed,meant\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["form:shares"], "there is no format 'form:shares'; closest known: form:share"),
        (["form:share", "--source", "nobodys"], "the ledger has no source 'nobodys'"),
        (["wgi"], "does not say which edition of wgi it is"),
    ],
)
def test_an_import_that_cannot_begin_is_one_line(run: Run, shares: Path, arguments: list[str], said: str) -> None:
    """The exit code is 2, as for everything the operator has to put right."""
    format_id, *options = arguments
    refused = run("import", format_id, shares, *options)
    assert refused.exit_code == 2
    assert said in refused.stderr.splitlines()[-1]


def test_the_help_lists_the_formats(run: Run) -> None:
    """Those of publishers with a description, and the kinds the project has forms for."""
    told = run("import", "--help").stdout
    assert all(each in told for each in ("usgs-mcs", "eu-sourcing-shares", "wgi", "baci", "form:KIND", "agreement"))


def test_a_revision_is_taken_back(run: Run, shares: Path) -> None:
    """Once; of one that never was the program says so."""
    run("import", "form:share", shares)
    assert run("retract", "2", "--reason", "wrong").stdout == "revision 3: 2 share taken back\n"
    assert run("retract", "2", "--reason", "wrong").stdout == "nothing to take back: no row of revision 2 stands\n"
    missing = run("retract", "9", "--reason", "wrong")
    assert (missing.exit_code, missing.stderr) == (2, "chokepoint: the ledger has no revision 9\n")
