"""What the shipped evidence says: that it adds up, holds what it promises, and agrees with what was published."""

from __future__ import annotations

import re
from collections import defaultdict
from math import isclose
from typing import Any

import pytest

from service.world.rows import Agreement, Governance, Listing, Membership, Mineral, Restriction, Share

OFF = {
    ("antimony", "processing"): 1.0185,
    ("boron", "processing"): 0.953,
    ("gold", "extraction"): 1.014,
    ("gypsum", "extraction"): 1.013,
    ("hydrogen", "extraction"): 1.0205,
    ("iron-ore", "extraction"): 1.014,
    ("iron-ore", "processing"): 1.0195,
    ("manganese", "processing"): 1.018,
    ("nickel", "extraction"): 0.911,
    ("nickel", "processing"): 0.958,
    ("roundwood", "extraction"): 0.93,
    ("silver", "extraction"): 1.012,
    ("titanium", "processing"): 0.92,
    ("vanadium", "processing"): 0.887,
}
"""Materials whose shares in the EU study of 2023 add up to less than 98 % or more than 101 %, and to what."""


def sums(seeds: Any) -> dict[tuple[str, str, str, int | None], float]:
    """What each share set adds up to."""
    found: dict[tuple[str, str, str, int | None], float] = defaultdict(float)
    for row in seeds.of(Share):
        found[row.source, row.mineral, row.stage, row.period_end] += row.share or 0.0
    return found


def test_shares_add_up_to_the_whole_or_are_named_here(seeds: Any) -> None:
    """The EU prints shares to a tenth of a percent, so rounding alone moves a sum by a percent or so."""
    off = {
        (mineral, stage): round(total, 4)
        for (source, mineral, stage, _), total in sums(seeds).items()
        if source == "eu-crm-2023" and not 0.98 <= round(total, 4) <= 1.01
    }
    assert off == OFF


def test_shares_from_amounts_never_exceed_the_whole(seeds: Any) -> None:
    """Beyond the sixth decimal each is rounded to; a remainder is left where suppliers are not named."""
    for (source, *place), total in sums(seeds).items():
        if source != "eu-crm-2023":
            assert total <= 1 + 1e-4, (source, *place)


def test_a_share_is_its_amount_over_the_worlds(seeds: Any) -> None:
    for row in seeds.of(Share):
        if row.quantity is not None and row.total is not None:
            assert row.share == round(row.quantity / row.total, 6), row


def test_a_share_printed_as_a_percentage_is_that(seeds: Any) -> None:
    """`28.4%` is 0.284; `<0.1%` counts as half, the study's own convention."""
    for row in seeds.of(Share):
        if printed := re.fullmatch(r"(<?)([\d.]+)%", row.printed):
            below, percent = printed.groups()
            assert isclose(row.share, float(percent) / (200 if below else 100), abs_tol=5e-7), row
            assert (row.qualifier == "below") == bool(below), row


def test_what_a_source_withholds_is_nothing_not_zero(seeds: Any) -> None:
    for row in seeds.of(Share):
        if row.qualifier in ("withheld", "not_available", "included_elsewhere"):
            assert (row.share, row.quantity) == (None, None), row
        if row.share is None:
            assert row.qualifier, row


def test_the_sixty_of_the_us_list_of_2025_are_there(seeds: Any) -> None:
    listed = [row for row in seeds.of(Listing) if row.list == "us-2025"]
    assert len({row.mineral for row in listed}) == len({row.printed for row in listed}) == len(listed) == 60


def test_the_34_critical_and_17_strategic_of_the_eu_are_there(seeds: Any) -> None:
    """As they are printed; a group stands for each of its members."""
    printed = {
        status: {row.printed for row in seeds.of(Listing) if row.list == "eu-2023" and row.status == status}
        for status in ("critical", "strategic")
    }
    assert {status: len(names) for status, names in printed.items()} == {"critical": 34, "strategic": 17}


def test_every_mineral_has_names_group_and_uses(seeds: Any) -> None:
    for row in seeds.of(Mineral):
        assert row.name_en and row.name_de and row.group and row.uses and row.stages, row.id  # noqa: PT018


@pytest.mark.parametrize(
    ("name", "german", "symbol"),
    [
        ("cobalt", "Kobalt", "Co"),
        ("tungsten", "Wolfram", "W"),
        ("natural-graphite", "Naturgraphit", "C"),
        ("aluminum", "Aluminium", "Al"),
        ("rare-earths", "Seltene Erden", ""),
    ],
)
def test_some_names_to_begin_with(name: str, german: str, symbol: str, seeds: Any) -> None:
    row = next(row for row in seeds.of(Mineral) if row.id == name)
    assert (row.name_de, row.symbol) == (german, symbol)


def test_the_claims_of_the_article_are_there(seeds: Any) -> None:
    """K01–K04: China's part in magnet rare earths, cobalt, lithium and copper, one country each and no year."""
    claims = {row.locator: row for row in seeds.of(Share) if row.source == "verumo-ki-boom"}
    assert {name: (row.mineral, row.country, row.share) for name, row in claims.items()} == {
        "K01": ("magnet-rare-earths", "CHN", 0.92),
        "K02": ("cobalt", "CHN", 0.77),
        "K03": ("lithium", "CHN", 0.65),
        "K04": ("copper", "CHN", 0.44),
    }
    assert {(row.stage, row.period_end) for row in claims.values()} == {("processing", None)}


@pytest.mark.parametrize(
    ("mineral", "stage", "leader", "share"),
    [
        ("cobalt", "processing", "CHN", 0.784),
        ("nickel", "processing", "IDN", 0.429),
        ("lithium", "processing", "CHN", 0.70),
        ("natural-graphite", "processing", "CHN", 0.93),
        ("copper", "processing", "CHN", 0.44),
    ],
)
def test_the_leaders_of_refining_in_2024_are_those_the_iea_names(
    mineral: str, stage: str, leader: str, share: float, seeds: Any
) -> None:
    """IEA, Global Critical Minerals Outlook 2025."""
    rows = [r for r in seeds.of(Share) if (r.source, r.mineral, r.stage) == ("iea-2025", mineral, stage)]
    first = max(rows, key=lambda row: row.share)
    assert (first.country, first.period_end) == (leader, 2024)
    assert first.share == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize(
    ("name", "kind", "binding", "parties", "signed", "in_force", "ended"),
    [
        ("us-japan-critical-minerals-2023", "executive_agreement", "yes", "USA JPN", "2023-03-28", "2023-03-28", None),
        ("us-australia-framework-2025", "framework", "no", "USA AUS", "2025-10-20", None, None),
        ("us-japan-framework-2025", "framework", "no", "USA JPN", "2025-10-28", None, None),
        ("us-malaysia-trade-2025", "trade_agreement", "yes", "USA MYS", "2025-10-26", None, None),
        ("us-cambodia-trade-2025", "trade_agreement", "yes", "USA KHM", "2025-10-26", None, None),
        ("us-malaysia-mou-2025", "memorandum", "no", "USA MYS", "2025-10-26", "2025-10-26", None),
        ("us-thailand-mou-2025", "memorandum", "no", "USA THA", "2025-10-26", "2025-10-26", None),
        ("us-ukraine-investment-fund-2025", "executive_agreement", "yes", "USA UKR", "2025-04-30", "2025-05-23", None),
        ("us-guinea-mou-2026", "memorandum", "not_stated", "USA GIN", "2026-02-04", None, None),
        ("us-united-kingdom-mou-2026", "memorandum", "not_stated", "USA GBR", "2026-02-05", None, None),
        ("us-mexico-action-plan-2026", "action_plan", "no", "USA MEX", "2026-02-04", None, None),
        ("us-eu-action-plan-2026", "action_plan", "no", "USA EU", "2026-04-24", None, None),
        ("us-china-relief-2025", "relief", "no", "USA CHN", "2025-11-01", None, None),
        ("us-philippines-framework-2025", "framework", "not_stated", "USA PHL", "2025-02", None, None),
        ("eu-chile-mou-2023", "memorandum", "no", "EU CHL", "2023-07-18", None, None),
        ("eu-canada-partnership-2021", "strategic_partnership", "no", "EU CAN", "2021-06-15", None, None),
        ("msp-2022", "forum", "no", "MSP", "2022-06-14", None, "2026-02-04"),
        ("forge-2026", "forum", "no", "FORGE", "2026-02-04", None, None),
        ("usmca-trade-2018", "trade_agreement", "yes", "USA CAN MEX", "2018", "2020", None),
        ("us-chile-trade-2003", "trade_agreement", "yes", "USA CHL", "2003", "2004", None),
    ],
)
def test_agreements_have_type_bindingness_and_dates_as_read(
    name: str,
    kind: str,
    binding: str,
    parties: str,
    signed: str,
    in_force: str | None,
    ended: str | None,
    seeds: Any,
) -> None:
    """A date is as precise as its source; what a source leaves open stays open."""
    row = next(row for row in seeds.of(Agreement) if row.id == name)
    assert (row.type, row.binding, row.parties) == (kind, binding, tuple(parties.split()))
    assert (row.signed, row.in_force, row.ended) == (signed, in_force, ended)


def test_the_trade_agreements_of_the_united_states_are_in_force(seeds: Any) -> None:
    """Fourteen agreements with twenty countries."""
    pacts = [row for row in seeds.of(Agreement) if row.type == "trade_agreement" and row.scope == "all"]
    partners = {party for row in pacts for party in row.parties} - {"USA"}
    assert len(partners) == 20
    assert all(row.binding == "yes" and row.in_force for row in pacts)


def test_forge_has_no_members_since_none_were_published(seeds: Any) -> None:
    assert [row for row in seeds.of(Membership) if row.bloc == "FORGE"] == []


def test_the_eu_has_27_members_and_one_that_left(seeds: Any) -> None:
    members = [row for row in seeds.of(Membership) if row.bloc == "EU"]
    assert len([row for row in members if row.valid_to is None]) == 27
    assert [(row.country, row.valid_to) for row in members if row.valid_to] == [("GBR", "2020-02-01")]


def test_chinas_controls_on_gallium_and_germanium_are_licences(seeds: Any) -> None:
    """USGS table T4 has both, of 2023."""
    for mineral in ("gallium", "germanium"):
        rows = [r for r in seeds.of(Restriction) if (r.country, r.mineral, r.type) == ("CHN", mineral, "licence")]
        assert [row.valid_from[:4] for row in rows] == ["2023"]


def test_governance_is_one_whole_release(seeds: Any) -> None:
    """13,899 figures of the release of 2024: six indicators, 2013–2023."""
    rows = seeds.of(Governance)
    assert len(rows) == 13_899
    assert {row.source for row in rows} == {"wgi-2024"}
    assert {row.year for row in rows} == set(range(2013, 2024))
