"""A score can be worked out again from its explanation alone, by a program that shares nothing with the service."""

from __future__ import annotations

import ast
import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.answers.explain import explain
from service.answers.score import Account
from service.world.rows import Row
from service.world.world import World
from tests.evidence import (
    agreement,
    bloc,
    country,
    governance,
    listing,
    membership,
    mineral,
    provision,
    restriction,
    share,
    source,
    world_of,
)
from tests.verification.recompute import Recomputation

DAY = date(2026, 2, 5)


def recomputed(world: World, buyer: str, name: str, on: date = DAY) -> Recomputation:
    """The recomputation from the explanation's own text."""
    document = explain(Account.of(world, buyer, on), name)
    return Recomputation(json.loads(msgspec.json.encode(document)))


@pytest.mark.parametrize("buyer", ["USA", "EU", "JPN"])
def test_every_mineral_recomputed_from_its_explanation_has_the_service_s_score(shipped: World, buyer: str) -> None:
    """All values in between agree to nine digits, and the score is the one the service prints."""
    account = Account.of(shipped, buyer, DAY)
    scored = 0
    for name in shipped.minerals:
        found, told = recomputed(shipped, buyer, name), account.score(name)
        assert found.differences() == []
        assert (None if found.score is None else round(found.score, 1), found.band) == (told.score, told.band)
        for stage, printed in zip(found.stages, told.stages, strict=True):
            assert (None if stage["score"] is None else round(stage["score"], 1)) == printed.score
        scored += found.score is not None
    assert scored > 60


@pytest.mark.parametrize("on", [date(2017, 6, 30), date(2020, 12, 31), date(2023, 5, 1), date(2030, 1, 1)])
def test_it_holds_on_other_days_too(shipped: World, on: date) -> None:
    for name in ("cobalt", "gallium", "natural-graphite", "lithium", "tin"):
        assert recomputed(shipped, "DEU", name, on).differences() == []


def test_the_program_imports_nothing_of_the_service() -> None:
    """Python's own library alone, so that an auditor can run it anywhere."""
    tree = ast.parse((Path(__file__).parent / "recompute.py").read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize("field", ["share", "estimate", "factor", "signed"])
def test_a_document_that_was_tampered_with_is_found_out(shipped: World, field: str) -> None:
    """One input changed, and the results told no longer follow from it."""
    document: dict[str, Any] = json.loads(msgspec.json.encode(explain(Account.of(shipped, "USA", DAY), "cobalt")))
    assert Recomputation(document).differences() == []
    match field:
        case "share":
            chosen = next(s for s in document["stages"][1]["share_sets"] if s["outcome"] == "counts")
            chosen["rows"][0]["share"] *= 0.9
        case "estimate":
            document["governance"]["countries"][0]["indicators"][-1]["estimate"] += 0.5
        case "factor":
            document["rules"]["ties"][-1]["central"] = 0.9
        case "signed":
            for each in document["agreements"]:
                each["signed"] = each["in_force"] = None
    assert Recomputation(document).differences() != []


PAIR: list[Row] = [*(country(code) for code in ("CHN", "PER", "USA", "CAN", "MEX")), mineral("tin"), mineral("lead")]
TREATY = {"type": "trade_agreement", "binding": "yes", "in_force": "2023"}
BASE = [*PAIR, *governance("CHN", -0.5), *governance("PER", 0.5), share("tin", "CHN", 0.6), share("tin", "PER", 0.3)]


@pytest.mark.parametrize(
    "rows",
    [
        [agreement("a", "USA", "PER"), agreement("b", "USA", "PER", **TREATY)],
        [agreement("a", "USA", "PER", **TREATY, suspended="2025")],
        [agreement("a", "USA", "PER", **TREATY, scope="critical"), listing("l", "PER", "tin")],
        [agreement("a", "USA", "PER", **TREATY, scope="named", minerals=("lead",))],
        [agreement("a", "USA", "PER", stages=("extraction",))],
        [restriction("r", "CHN", "tin"), restriction("s", "CHN", "tin", type="tax", factor=2.0)],
        [restriction("r", "CHN", "tin", targets=("USA",), valid_to="2026-01-31")],
        [bloc("CLUB"), membership("CLUB", "PER"), agreement("a", "USA", "CLUB", **TREATY)],
        [bloc("MARKET", type="single_market"), membership("MARKET", "PER"), membership("MARKET", "USA")],
        [
            agreement("a", "USA", "CHN", **TREATY),
            provision("a", forbids=("ban",)),
            restriction("r", "CHN", "tin"),
            restriction("q", "CHN", "tin", type="quota", stages=("extraction",)),
        ],
        [agreement("a", "USA", "CHN", **TREATY), provision("a", forbids=("tax",)), restriction("r", "CHN", "tin")],
        [source("z-source", precedence=1), share("tin", "PER", 0.9, source="z-source")],
        [share("tin", "PER", 0.7, period_start=2025, period_end=2025)],
        [share("tin", "CAN", None), share("tin", "MEX", 0.05)],
    ],
)
def test_every_rule_of_ties_and_shares_is_recomputed(rows: list[Row]) -> None:
    world = world_of([*BASE, *rows])
    for buyer in ("USA", "PER", "CAN"):
        assert recomputed(world, buyer, "tin").differences() == []


def test_a_bloc_reads_through_the_eyes_of_its_members() -> None:
    """The weakest tie and the strongest restriction any member has; relief counts only where all have it."""
    members = [bloc("NORTH"), *(membership("NORTH", code) for code in ("CAN", "MEX", "USA"))]
    rows = [
        agreement("a", "USA", "PER", **TREATY),
        agreement("b", "CAN", "PER"),
        restriction("r", "CHN", "tin", targets=("MEX",)),
        restriction("s", "CHN", "tin", type="licence"),
        agreement("c", "NORTH", "CHN", **TREATY),
        provision("c"),
    ]
    world = world_of([*BASE, *members, *rows])
    found = recomputed(world, "NORTH", "tin")
    assert found.differences() == []
    (stage,) = found.told["stages"]
    china, peru = stage["suppliers"]
    assert [reading["readers"] for reading in peru["readings"]] == [["CAN"], ["MEX"], ["USA"]]
    assert (peru["tie"], china["restriction"], china["rho"]) == ("none", "r", 1.0)
