"""The shipped evidence line by line against the tables it was read from, where those are at hand."""

from __future__ import annotations

import re
from typing import Any

from service.world.rows import Agreement, Governance, Listing, Share

RENAMED = {"US-IDN-ART-2026": "us-indonesia-trade-2026"}
"""Instruments that carry a shorter title here."""

CORRECTED = {
    "US-JPN-FW-2025": "signed on 2025-10-28 by the text itself; posted the day before",
    "US-MYS-MOU-2025": "in force on signature by its text",
    "US-THA-MOU-2025": "in force on signature by its text",
}
"""Instruments whose dates were read from their own texts since."""

UNBOUND_BY = {
    "US-ARG-CM-2026": "avispa-2026-02-24, K12",
    "US-ECU-CM-2026": "avispa-2026-02-24, K12",
    "US-PRY-CM-2026": "avispa-2026-02-24, K12",
    "US-PER-CM-2026": "avispa-2026-02-24, K12, and the communiqué of Peru's Ministry of Foreign Affairs",
    "US-SWE-TPD-2026": "its text",
}
"""Instruments found not to be binding by a source that the table did not know."""


def lines_of(locator: str) -> list[int]:
    """The lines a locator ends with: `line 8070`, or `lines 8070 and 8081` where several are added up."""
    found = re.search(r"lines? ([\d and,]+)$", locator)
    assert found, locator
    return [int(number) for number in re.findall(r"\d+", found.group(1))]


def test_amounts_are_those_of_the_usgs(seeds: Any, published: Any) -> None:
    """Each stands on the line its locator names, with the same country and amount."""
    table = published("usgs_mcs2026/usgs_mcs2026_world_tidy.csv")
    printed = {(int(row["csv_line"]), int(row["year"])): row for row in table}
    rows = [row for row in seeds.of(Share) if row.source == "usgs-mcs-2026"]
    for row in rows:
        there = [printed[line, row.period_end] for line in lines_of(row.locator)]
        assert {line["iso3"] for line in there} == {row.country}, row
        assert " + ".join(line["value_raw"].strip() for line in there) == row.printed, row
        if row.quantity is not None:
            added = sum(
                float(line["value"]) for line in there if line["value_raw"].strip() != "s"
            )  # s: too small to print
            assert added == row.quantity, row
    assert len(rows) > 1_000


def test_shares_are_those_of_the_eu_study(seeds: Any, published: Any) -> None:
    """Each stands on the line its locator names."""
    lines = published("eu_crm2023/fact_GlobalSupplyShares_t.csv", "cp1252")
    rows = [row for row in seeds.of(Share) if row.source == "eu-crm-2023"]
    for row in rows:
        (number,) = lines_of(row.locator)
        there = lines[number - 2]  # the first line after the header is line 2
        assert there["Share"].strip() == row.printed, row
        assert {"E": "extraction", "P": "processing"}[there["Stage"].strip()] == row.stage, row
        assert row.locator.startswith(f"{there['Material'].strip()} {there['Stage'].strip()}, "), row
    assert len(rows) > 2_500


def test_governance_is_that_of_the_world_bank(seeds: Any, published: Any) -> None:
    """To the last printed digit."""
    printed = {
        (row["wb_code"] + row["dimension"] + row["year"]): (row["iso3"], row["estimate"], row["stderr"])
        for row in published("wgi2024/wgi_2013_2023_long.csv")
    }
    for row in seeds.of(Governance):
        country, estimate, stderr = printed[row.locator]
        assert (row.country, row.estimate, row.stderr) == (country, float(estimate), float(stderr)), row


def test_the_lists_are_those_published(seeds: Any, published: Any) -> None:
    here = seeds.of(Listing)
    american = {row["mineral"] for row in published("critical_lists/us_2025_final_60.csv")}
    assert {row.printed for row in here if row.list == "us-2025"} == american
    european = {
        (row["material"], row["list"].split()[0])
        for row in published("critical_lists/eu_2023_34_critical_17_strategic.csv")
    }
    assert {(row.printed, row.status) for row in here if row.list == "eu-2023"} == european


def test_every_instrument_of_the_table_is_there_as_it_was_read(seeds: Any, published: Any) -> None:
    """53 instruments; what was read more closely since is named above, and nothing else differs."""
    by_title = {row.title: row for row in seeds.of(Agreement)} | {row.id: row for row in seeds.of(Agreement)}
    table = published("agreements/agreements.csv")
    for there in table:
        name = there["id"]
        here = by_title[RENAMED.get(name, there["title"])]
        known = there["legally_binding"].split(" ")[0]
        binding = known if known in ("yes", "no") else "not_stated"
        assert here.binding == ("no" if name in UNBOUND_BY else binding), name
        if name not in CORRECTED:
            entry = there["entry_into_force"]
            assert here.signed == there["date_signed"], name
            assert here.in_force == (entry if re.fullmatch(r"[\d-]+", entry) else None), name
        if name not in ("MSP-2022", "FORGE-2026"):  # a bloc is its own party, its members are dated memberships
            sides = re.findall("[A-Z]{3}", there["side_b_iso3"])
            assert set(sides) <= set(here.parties) | {"USA"}, name
    assert len(table) == 53


def test_every_partner_of_a_us_trade_agreement_is_there(seeds: Any, published: Any) -> None:
    """With the years printed."""
    pacts = [row for row in seeds.of(Agreement) if row.type == "trade_agreement" and row.scope == "all"]
    for there in published("agreements/us_fta_partners.csv"):
        (row,) = [row for row in pacts if there["iso3"] in row.parties]
        assert row.signed == there["year_signed_desta"], row.id
        if there["year_in_force_desta"]:
            assert row.in_force == there["year_in_force_desta"], row.id


def test_refining_leaders_are_those_of_the_iea(seeds: Any, published: Any) -> None:
    """To a hundredth of a percent of the published amounts."""
    table = {
        (row["mineral"].split()[0].lower(), row["iso3"]): float(row["share"])
        for row in published("iea_2025/iea_2025ed_supply_by_country.csv")
        if row["stage"].startswith("refin") and row["year"] == "2024" and row["share"]
    }
    for row in seeds.of(Share):
        if row.source == "iea-2025" and (row.mineral, row.country) in table:
            assert abs(row.share - table[row.mineral, row.country]) <= 5.1e-5, row
