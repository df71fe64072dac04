"""The claims of the two articles, one by one: each is on record as it was made, and so is what it speaks of.

A claim's `shown_in` names rows of evidence as `kind:key`. The tests below follow these names and hold what stands there
against what the claim says.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, cast

import pytest

from service.world.rows import (
    Agreement,
    Claim,
    Control,
    Deposit,
    Mineral,
    Provision,
    Reserve,
    Restriction,
    Row,
    Share,
    Sourcing,
)
from service.world.scoring import score_all
from service.world.standing import Ties, restriction_stands, status_on
from service.world.world import World
from tests.shipped import Rows

DAY = date(2026, 2, 24)
SOUTH_AMERICA = {"us-argentina-mou-2026", "us-ecuador-mou-2026", "us-paraguay-mou-2026", "us-peru-mou-2026"}


class Shown:
    """What represents a claim, by kind."""

    def __init__(self, rows: Rows, claim: Claim) -> None:
        self.claim = claim
        self.rows: dict[str, list[Row]] = {}
        for entry in claim.shown_in:
            kind, key = entry.split(":", 1)
            assert key in rows[kind], f"{claim.id} names {entry}, which is not on record"
            self.rows.setdefault(kind, []).append(rows[kind][key])

    def of(self, kind: type[Row]) -> list[Any]:
        return self.rows.get(kind.kind, [])


def share_as_claimed(mineral: str) -> Callable[[Shown, World], None]:
    def check(shown: Shown, world: World) -> None:
        (row,) = cast(list[Share], shown.of(Share))
        assert (row.mineral, row.stage, row.country) == (mineral, "processing", "CHN")
        assert row.share == shown.claim.value
        assert row.source == shown.claim.source
        newest = world.share_set(mineral, "processing", DAY)
        assert newest is not None
        assert newest.source.id != row.source, "the article's figure stands beside a fuller set, it does not replace it"

    return check


def estimate_with_its_doubt(shown: Shown, world: World) -> None:
    """K01: the text calls the figure an estimate, and the row says so."""
    share_as_claimed("magnet-rare-earths")(shown, world)
    assert shown.of(Share)[0].qualifier == "estimated"


def control_abroad(shown: Shown, world: World) -> None:
    """K05: in Africa, South America and Asia."""
    rows = cast(list[Control], shown.of(Control))
    assert {row.host for row in rows} == {"COD", "PER", "IDN"}
    assert {row.controller for row in rows} == {"CHN"}


def offtake_and_no_export(shown: Shown, world: World) -> None:
    """K06: output bound to Chinese buyers, and what China processes held back."""
    assert {(row.type, row.controller) for row in shown.of(Control)} == {("offtake", "CHN")}
    held = cast(list[Restriction], shown.of(Restriction))
    assert all(row.country == "CHN" and "processing" in row.stages for row in held)
    assert {row.type for row in held} == {"licence", "ban"}


def domestic_measures(shown: Shown, world: World) -> None:
    """K07: money, guarantees, state demand, permits, for exploration and processing at home."""
    deposits = cast(list[Deposit], shown.of(Deposit))
    assert {row.country for row in deposits} == {"USA"}
    assert {row.stage for row in deposits} == {"extraction", "processing"}
    printed = " ".join(row.printed for row in deposits)
    assert all(word in printed for word in ("commitment", "Defense Production Act", "Export-Import Bank", "permits"))
    clauses = {row.type: row.quote for row in cast(list[Provision], shown.of(Provision))}
    assert "guarantees, loans" in clauses["finance"]
    assert "industrial demand" in clauses["stockpiling"]
    assert "permitting" in clauses["permitting"]


def partners(shown: Shown, world: World) -> None:
    """K08: Canada, Australia and the EU are tied to the United States."""
    tied = {party for row in cast(list[Agreement], shown.of(Agreement)) for party in row.parties}
    assert {"CAN", "AUS", "EU", "USA"} <= tied


def uses(*words: str) -> Callable[[Shown, World], None]:
    def check(shown: Shown, world: World) -> None:
        named = " ".join(use for row in cast(list[Mineral], shown.of(Mineral)) for use in row.uses)
        for word in words:
            assert word in named, word

    return check


def ministerial(shown: Shown, world: World) -> None:
    """K10: what was signed there bears its day."""
    assert {row.signed for row in shown.of(Agreement)} == {"2026-02-04"}


def four_memoranda(shown: Shown, world: World) -> None:
    """K11: with their scope, priority projects and finance."""
    found = cast(list[Agreement], shown.of(Agreement))
    assert {row.id for row in found} == SOUTH_AMERICA
    assert {(row.type, row.scope) for row in found} == {("memorandum", "critical")}
    assert {row.type for row in shown.of(Provision)} == {"project_development", "finance"}
    assert {row.agreement for row in shown.of(Provision)} == SOUTH_AMERICA


def bind_nobody(shown: Shown, world: World) -> None:
    """K12: for each of the four, graded by who says so."""
    clauses = cast(list[Provision], shown.of(Provision))
    assert {row.agreement for row in clauses} == SOUTH_AMERICA
    assert {(row.type, row.binding) for row in clauses} == {("bindingness", "no")}
    assert {row.evidence_level for row in clauses} == {"article", "secondary_page"}
    assert all(world.agreements[name].binding == "no" for name in SOUTH_AMERICA)


def forum_follows(shown: Shown, world: World) -> None:
    """K13: one bloc follows the other on the day, and its members are not guessed."""
    assert world.blocs["MSP"].successor == "FORGE"
    assert world.members("MSP", date(2026, 2, 3))
    assert not world.members("MSP", date(2026, 2, 4))
    assert not world.members("FORGE", DAY)
    assert status_on(world.agreements["forge-2026"], DAY) == "signed"


def prices(shown: Shown, world: World) -> None:
    """K14: under discussion, so no clause binds anybody."""
    clauses = cast(list[Provision], shown.of(Provision))
    assert {row.type for row in clauses} == {"price_floor", "minimum_import_price"}
    assert "us-mexico-action-plan-2026" in {row.agreement for row in clauses}
    assert "yes" not in {row.binding for row in clauses}


def logistics(shown: Shown, world: World) -> None:
    """K15: long-haul transport, storage, technical controls, simpler procedures."""
    (clause,) = cast(list[Provision], shown.of(Provision))
    assert (clause.agreement, clause.type, clause.evidence_level) == ("us-argentina-mou-2026", "logistics", "article")
    for word in ("transport", "storage", "technical controls", "procedures"):
        assert word in clause.text


def action_plan(shown: Shown, world: World) -> None:
    """K16: above a memorandum in the ladder, its minerals still to be identified."""
    (plan,) = cast(list[Agreement], shown.of(Agreement))
    assert (plan.type, set(plan.parties), plan.minerals) == ("action_plan", {"USA", "MEX"}, ())
    assert "to be identified" in plan.printed


def rival_buyers(shown: Shown, world: World) -> None:
    """K17: India, China, the United States and the EU, each by what is on record."""
    assert {"IND", "BRA"} == {party for row in shown.of(Agreement) for party in row.parties}
    assert {(row.host, row.controller) for row in shown.of(Control)} == {("BRA", "CHN")}
    assert {row.buyer for row in cast(list[Sourcing], shown.of(Sourcing))} == {"USA", "EU"}
    (deposit,) = cast(list[Deposit], shown.of(Deposit))
    assert deposit.country == "BRA"
    assert "US Development Finance Corporation" in deposit.printed


def ten_of_sixty(shown: Shown, world: World) -> None:
    """K18: the ten are on the list of sixty, and each is Peru's by output, reserve or deposit."""
    listed = {row.mineral for row in shown.rows["listing"]}  # type: ignore[attr-defined]
    assert len(listed) == 10
    assert {"copper", "lithium", "silver", "lead", "zinc"} <= listed
    assert len([row for row in world.listings if row.list == "us-2025"]) == 60
    found = cast(list[Share | Reserve], [*shown.of(Share), *shown.of(Reserve)])
    assert {row.country for row in found} == {"PER"}
    deposits = {mineral for row in cast(list[Deposit], shown.of(Deposit)) for mineral in row.minerals}
    assert {row.mineral for row in found} | deposits == listed


def deposit_with_a_place(place: str, mineral: str) -> Callable[[Shown, World], None]:
    def check(shown: Shown, world: World) -> None:
        for row in cast(list[Deposit], shown.of(Deposit)):
            assert (row.country, mineral in row.minerals) == ("PER", True)
            assert place in row.place

    return check


def law_missing(shown: Shown, world: World) -> None:
    """K21: travels with the deposit."""
    (deposit,) = cast(list[Deposit], shown.of(Deposit))
    assert any("no specific rules yet for extracting rare earths" in caveat for caveat in deposit.caveats)


def cost_where_it_happens(shown: Shown, world: World) -> None:
    """K22: travels with every deposit of South America."""
    deposits = {row.id for row in shown.of(Deposit)}
    assert deposits == {row.id for row in world.deposits.values() if row.country in ("PER", "BRA")}
    for name in deposits:
        assert any("environmental and social cost" in caveat for caveat in world.deposits[name].caveats), name


def concentrated_and_used(shown: Shown, world: World) -> None:
    """K23: one country has three quarters and more, and has held exports back; the scores say extreme or severe."""
    for row in cast(list[Share], shown.of(Share)):
        assert row.share is not None
        assert row.share > 0.75
    assert {row.country for row in cast(list[Restriction], shown.of(Restriction))} == {"CHN"}
    assert any("USA" in row.targets for row in shown.of(Restriction))
    on = date(2024, 12, 3)
    ban = world.restrictions["chn-ban-gallium-us-2024"]
    assert restriction_stands(ban, on)
    assert Ties(world, on).hits(ban, "USA")
    scored = score_all(world, "USA", DAY)
    scores = dict(zip(world.minerals, scored.scores.score, strict=True))
    assert scores["natural-graphite"] > 50


CHECKS: dict[str, Callable[[Shown, World], None]] = {
    "K01": estimate_with_its_doubt,
    "K02": share_as_claimed("cobalt"),
    "K03": share_as_claimed("lithium"),
    "K04": share_as_claimed("copper"),
    "K05": control_abroad,
    "K06": offtake_and_no_export,
    "K07": domestic_measures,
    "K08": partners,
    "K09": uses("electric motors", "batteries", "wind turbines", "computer chips", "defence", "ammunition"),
    "K10": ministerial,
    "K11": four_memoranda,
    "K12": bind_nobody,
    "K13": forum_follows,
    "K14": prices,
    "K15": logistics,
    "K16": action_plan,
    "K17": rival_buyers,
    "K18": ten_of_sixty,
    "K19": deposit_with_a_place("Junín", "rare-earths"),
    "K20": deposit_with_a_place("Puno", "lithium"),
    "K21": law_missing,
    "K22": cost_where_it_happens,
    "K23": concentrated_and_used,
    "K24": uses("batteries", "solar cells", "wind turbines", "power grids"),
}


@pytest.mark.parametrize("claim", CHECKS)
def test_what_a_claim_speaks_of_is_on_record(rows: Rows, shipped: World, claim: str) -> None:
    CHECKS[claim](Shown(rows, shipped.claims[claim]), shipped)


def test_all_the_claims_are_checked_and_no_other(shipped: World) -> None:
    assert set(shipped.claims) == set(CHECKS)
    assert len(CHECKS) == 24


def test_claims_are_kept_as_they_were_made(shipped: World) -> None:
    """Subject, statement, value, unit and day, against the table of claims at hand."""
    beside = Path(__file__).resolve().parents[3] / "shared" / "data"
    path = Path(os.environ.get("CHOKEPOINT_REFERENCE_DATA") or beside) / "articles" / "claims.csv"
    if not path.is_file():
        pytest.skip("no table of claims here: set CHOKEPOINT_REFERENCE_DATA to the folder above articles/claims.csv")
    with path.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            claim = shipped.claims[line["claim_id"]]
            assert (claim.subject, claim.statement, claim.unit) == (line["subject"], line["statement"], line["unit"])
            assert claim.value == (float(line["value"]) if line["value"] else None)
            assert claim.made == (line["source_date"] or None)


def test_claims_are_an_articles_word_and_name_their_place_in_it(shipped: World) -> None:
    for claim in shipped.claims.values():
        assert claim.evidence_level == "article"
        assert claim.locator == claim.id
        assert claim.shown_in, claim.id
