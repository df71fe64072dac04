"""What the clauses of agreements say: each with its place, none that its text does not hold, and what they do."""

from __future__ import annotations

from datetime import date
from typing import Any, cast

import pytest

from service.world.position import NOBODY, Positions
from service.world.rows import Agreement, Provision, Restriction, Source
from service.world.scoring import score_all
from service.world.standing import Ties, restriction_stands, status_on
from service.world.world import World
from tests.evidence import agreement, country, mineral, restriction, world_of
from tests.shipped import Rows, plain

DAY = date(2026, 2, 5)
WHOLE_TEXTS = {
    "us-australia-compact-2023",
    "us-australia-framework-2025",
    "us-cambodia-trade-2025",
    "us-japan-framework-2025",
    "us-jordan-trade-2026",
    "us-malaysia-mou-2025",
    "us-malaysia-trade-2025",
    "us-norway-joint-statement-2024",
    "us-sweden-technology-2026",
    "us-thailand-mou-2025",
}
"""Instruments whose text was read, not a page about it."""


def clauses(rows: Rows) -> list[Provision]:
    return [cast(Provision, row) for row in rows["provision"].values()]


def test_every_quotation_is_in_the_text_it_cites(rows: Rows, texts: dict[str, str]) -> None:
    """Word for word, whatever the line breaks and the emphasis of the text at hand."""
    checked = 0
    for clause in clauses(rows):
        address = cast(Source, rows["source"][clause.source]).url
        if clause.quote and address in texts:
            assert plain(clause.quote) in texts[address], clause.id
            checked += 1
    assert checked == 98


def test_a_clause_says_what_it_holds_where_it_stands_and_how_well_that_is_known(rows: Rows) -> None:
    for clause in clauses(rows):
        assert clause.text, clause.id
        assert clause.locator, clause.id
        assert clause.id.startswith(f"{clause.agreement}-{clause.type.replace('_', '-')}"), clause.id


def test_only_official_texts_and_pages_are_quoted(rows: Rows) -> None:
    """What others publish is told in other words."""
    for clause in clauses(rows):
        if clause.quote:
            assert clause.evidence_level in ("official_text", "official_page"), clause.id


def test_every_text_that_was_read_shows_how_binding_it_is(rows: Rows) -> None:
    """By a clause of its own, which says what the agreement's row says."""
    shown = {clause.agreement: clause for clause in clauses(rows) if clause.type == "bindingness"}
    for name in WHOLE_TEXTS:
        assert cast(Agreement, rows["agreement"][name]).evidence_level == "official_text"
        assert shown[name].quote
    for name, clause in shown.items():
        assert clause.binding == cast(Agreement, rows["agreement"][name]).binding, name


@pytest.mark.parametrize(
    ("country", "level"),
    [("argentina", "article"), ("ecuador", "article"), ("paraguay", "secondary_page"), ("peru", "secondary_page")],
)
def test_the_memoranda_of_february_2026_bind_nobody_and_say_who_says_so(rows: Rows, country: str, level: str) -> None:
    clause = cast(Provision, rows["provision"][f"us-{country}-mou-2026-bindingness"])
    assert (clause.binding, clause.evidence_level) == ("no", level)


def test_finance_has_an_amount_only_where_the_text_has_one(rows: Rows) -> None:
    """One text names an amount: 1 billion US dollars in each of the United States and Australia."""
    (named,) = [clause for clause in clauses(rows) if clause.amount is not None]
    assert (named.agreement, named.amount, named.currency) == ("us-australia-framework-2025", 1e9, "USD")
    assert "at least $1 billion" in named.quote


def test_price_floors_stand_only_where_a_text_names_them(rows: Rows) -> None:
    """The framework with Japan speaks of pricing measures, the one with Australia of price floors."""
    floors = {clause.agreement for clause in clauses(rows) if clause.type == "price_floor"}
    assert floors == {
        "us-australia-framework-2025",
        "us-japan-action-plan-2026",
        "us-malaysia-mou-2025",
        "us-mexico-action-plan-2026",
        "us-thailand-mou-2025",
    }


def test_the_united_states_and_japan_forbid_each_other_duties_and_nothing_else(rows: Rows) -> None:
    (clause,) = [
        clause for clause in clauses(rows) if clause.type == "no_export_restriction" and clause.binding == "yes"
    ]
    assert (clause.agreement, clause.forbids, clause.obliges) == ("us-japan-critical-minerals-2023", ("tax",), ())


def test_a_pledge_beside_a_treaty_is_on_record_and_not_the_treatys_clause(rows: Rows, shipped: World) -> None:
    """Malaysia pledged in a joint statement not to ban exports to the United States; its ban counts all the same."""
    pledge = cast(Provision, rows["provision"]["us-malaysia-trade-2025-no-export-restriction"])
    assert (pledge.binding, pledge.obliges, pledge.forbids) == ("not_stated", ("MYS",), ("ban", "quota"))
    assert pledge.source == "us-malaysia-joint-statement-2025-text"
    ban = shipped.restrictions["mys-ban-rare-earths-2024"]
    assert restriction_stands(ban, DAY)
    scored = score_all(shipped, "USA", DAY)
    assert not any(kind.relieved for kind in scored.terms.present)


def test_the_forum_follows_the_partnership(shipped: World) -> None:
    before, after = shipped.agreements["msp-2022"], shipped.agreements["forge-2026"]
    assert before.successor == after.id
    assert shipped.blocs["MSP"].successor == "FORGE"
    eve, day = date(2026, 2, 3), date(2026, 2, 4)
    assert (status_on(before, eve), status_on(before, day)) == ("signed", "ended")
    assert (status_on(after, eve), status_on(after, day)) == ("pending", "signed")


def test_agreements_of_which_entry_into_force_is_not_known_count_as_signed(shipped: World) -> None:
    for name in ("us-malaysia-trade-2025", "us-cambodia-trade-2025", "us-indonesia-trade-2026"):
        assert status_on(shipped.agreements[name], date(2026, 6, 30)) == "signed"


@pytest.mark.parametrize(
    ("clause", "relieved"),
    [
        ({}, True),
        ({"forbids": ("tax",)}, False),
        ({"forbids": ("tax", "ban")}, True),
        ({"binding": "no"}, False),
        ({"binding": "not_stated"}, False),
        ({"obliges": ("AAA",)}, False),
        ({"obliges": ("BBB",)}, True),
        ({"minerals": ("tin",)}, False),
        ({"minerals": ("zinc",)}, True),
        ({"type": "price_floor"}, False),
    ],
)
@pytest.mark.parametrize(("in_force", "counts"), [("2022-03-04", True), (None, False)])
def test_a_clause_relieves_of_what_it_forbids_to_whom_it_binds(
    clause: dict[str, Any], relieved: bool, in_force: str | None, counts: bool
) -> None:
    """Only a binding clause of a binding agreement in force, for the minerals it is about; here of a ban on zinc."""
    treaty = agreement("a-treaty", "AAA", "BBB", type="trade_agreement", binding="yes", in_force=in_force)
    fields: dict[str, Any] = {
        "id": "a-clause",
        "agreement": "a-treaty",
        "type": "no_export_restriction",
        "binding": "yes",
    }
    fields |= {"text": "no restrictions", "evidence_level": "official_text", "source": "a-source"}
    world = world_of(
        [country("AAA"), country("BBB"), mineral("tin"), mineral("zinc")],
        treaty,
        Provision(**fields | clause),
        restriction("b-zinc", "BBB", "zinc"),
    )
    position = Positions(world, DAY).of("AAA")
    cell = (1, world.mineral_index["zinc"], world.country_index["BBB"])
    assert bool(position.protector[cell] != NOBODY) is (relieved and counts)


def test_a_group_is_restricted_where_a_member_is_and_covered_where_all_are(shipped: World) -> None:
    """China licenses dysprosium and not neodymium: whoever buys magnet rare earths needs both."""
    assert "magnet-rare-earths" in shipped.touched("dysprosium")
    assert "neodymium" not in shipped.touched("dysprosium")
    assert "magnet-rare-earths" not in shipped.covered(frozenset(("dysprosium",)))


def standing(shipped: World, country: str, mineral: str, buyer: str, on: date) -> set[str]:
    ties = Ties(shipped, on)
    return {
        row.type
        for row in shipped.restrictions.values()
        if row.country == country
        and mineral in shipped.touched(row.mineral)
        and restriction_stands(row, on)
        and ties.hits(row, buyer)
    }


@pytest.mark.parametrize(
    ("mineral", "buyer", "on", "types"),
    [
        ("gallium", "USA", date(2023, 7, 31), set()),
        ("gallium", "USA", date(2023, 8, 1), {"licence"}),
        ("gallium", "USA", date(2024, 12, 3), {"licence", "ban"}),
        ("gallium", "DEU", date(2024, 12, 3), {"licence"}),
        ("gallium", "USA", date(2025, 11, 8), {"licence", "ban"}),
        ("gallium", "USA", date(2025, 11, 9), {"licence"}),
        ("gallium", "USA", date(2026, 11, 27), {"licence", "ban"}),
        ("antimony", "USA", date(2024, 9, 14), set()),
        ("antimony", "USA", date(2024, 9, 15), {"licence"}),
        ("natural-graphite", "USA", date(2023, 12, 1), {"licence"}),
        ("tungsten", "DEU", date(2025, 2, 4), {"licence"}),
        ("dysprosium", "DEU", date(2025, 4, 4), {"licence"}),
        ("dysprosium", "DEU", date(2026, 2, 5), {"licence"}),
        ("neodymium", "DEU", date(2026, 2, 5), set()),
        ("magnet-rare-earths", "DEU", date(2026, 2, 5), {"licence"}),
        ("holmium", "DEU", date(2025, 11, 8), set()),
        ("holmium", "DEU", date(2026, 2, 5), set()),
        ("holmium", "DEU", date(2026, 11, 10), {"licence"}),
        ("silver", "DEU", date(2026, 1, 1), {"licence"}),
    ],
)
def test_what_china_restricts_by_mineral_buyer_and_day(
    shipped: World, mineral: str, buyer: str, on: date, types: set[str]
) -> None:
    """Licences of 2023 to 2026, the ban for one buyer, and the suspensions of November 2025 with their ends."""
    assert standing(shipped, "CHN", mineral, buyer, on) == types


@pytest.mark.parametrize(
    ("country", "mineral", "on", "types"),
    [
        ("COD", "cobalt", date(2025, 2, 21), set()),
        ("COD", "cobalt", date(2025, 2, 22), {"ban"}),
        ("COD", "cobalt", date(2025, 10, 15), {"ban"}),
        ("COD", "cobalt", date(2025, 10, 16), {"quota"}),
        ("IDN", "nickel", date(2020, 1, 1), {"ban"}),
        ("IDN", "bauxite", date(2023, 6, 29), set()),
        ("IDN", "bauxite", date(2023, 6, 30), {"ban"}),
        ("IDN", "copper", date(2024, 12, 31), set()),
        ("IDN", "copper", date(2025, 1, 1), {"ban"}),
        ("MYS", "rare-earths", date(2024, 1, 1), {"ban"}),
    ],
)
def test_what_others_restrict(shipped: World, country: str, mineral: str, on: date, types: set[str]) -> None:
    """The DR Congo's ban and then quota, Indonesia's ore bans with the exemption for copper, Malaysia's ban."""
    assert standing(shipped, country, mineral, "DEU", on) == types


def test_every_restriction_names_its_source_and_what_is_printed_there(rows: Rows) -> None:
    for row in rows["restriction"].values():
        found = cast(Restriction, row)
        assert found.printed
        assert found.source in rows["source"]
