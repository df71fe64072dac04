"""What a World takes over of what was worked out from the one before."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import msgspec
import pytest

from service.answers.explain import explain
from service.answers.score import Account
from service.world import packed
from service.world.carrying import carry
from service.world.evidence import Evidence, merged
from service.world.rows import Control, Row, Share
from service.world.sheet import sheet_on
from service.world.standing import ties_on
from service.world.world import World, build
from tests.evidence import (
    SOURCE,
    agreement,
    bloc,
    country,
    evidence_of,
    governance,
    listing,
    membership,
    mineral,
    provision,
    restriction,
    share,
    source,
)

DAYS = (date(2026, 2, 5), date(2025, 6, 1), date(2025, 2, 1))
DAY = DAYS[0]
BUYERS = ("AAA", "CLUB", "BBB,DDD")
CODES = ("AAA", "BBB", "CCC", "DDD", "EEE")
STRANGER = "EEE"
"""A country that supplies nothing."""


def control(host: str, controller: str, part: float) -> Control:
    fields = {"mineral": "cobalt", "stage": "processing", "host": host, "controller": controller, "year": 2023}
    return Control(**fields, share=part, printed=f"{part}", evidence_level="study", source=SOURCE)


EVIDENCE = evidence_of(
    source("other", precedence=200),
    map(country, CODES),
    [mineral("cobalt", stages=("extraction", "processing")), mineral("tin"), mineral("zinc")],
    [row for place, code in enumerate(CODES) for row in governance(code, place / 2 - 1)],
    [share("cobalt", "BBB", 0.5), share("cobalt", "CCC", 0.4), share("cobalt", "CCC", 0.8, stage="extraction")],
    [share("tin", "CCC", 0.6), share("tin", "DDD", 0.3), share("zinc", "BBB", 0.9)],
    [share("cobalt", "BBB", 0.3, source="other"), share("tin", "DDD", 0.7, period_start=2023, period_end=2023)],
    bloc("CLUB"),
    [membership("CLUB", "AAA"), membership("CLUB", "BBB", "2025-01-01")],
    [listing("a-list", "AAA", "cobalt"), listing("a-list", "AAA", "tin")],
    agreement("first", "AAA", "CCC", type="trade_agreement", binding="yes", in_force="2023-01-01"),
    agreement("second", "CLUB", "DDD", scope="critical"),
    provision("first"),
    [restriction("ban", "CCC", "cobalt"), restriction("tax", "DDD", "tin", type="tax", targets=("AAA",))],
    control("BBB", "DDD", 0.5),
)

CORRECTIONS: dict[str, list[Row]] = {
    "nothing that is asked for": [source("third")],
    "an agreement ends": [agreement("first", "AAA", "CCC", type="trade_agreement", binding="yes", ended="2025-01-01")],
    "an agreement before all others": [agreement("eldest", "BBB", "CCC", "DDD")],
    "an agreement's note": [agreement("second", "CLUB", "DDD", scope="critical", note="a note")],
    "a clause": [provision("first", forbids=("tax",))],
    "a restriction's type": [restriction("ban", "CCC", "cobalt", type="tax")],
    "a restriction's rate": [restriction("tax", "DDD", "tin", type="tax", targets=("AAA",), factor=1.5)],
    "a restriction's days": [restriction("ban", "CCC", "cobalt", valid_to="2025-12-31")],
    "a restriction before all others": [restriction("a-ban", "BBB", "zinc")],
    "a share": [share("cobalt", "BBB", 0.45)],
    "the order of suppliers": [share("tin", "DDD", 0.65)],
    "another supplier": [share("tin", "EEE", 0.05)],
    "what another source says": [share("cobalt", "BBB", 0.45, source="other")],
    "a newer year": [share("zinc", "CCC", 0.95, period_start=2025, period_end=2025)],
    "shares of no year": [
        source("late", published="2025-03-01"),
        share("tin", "DDD", 0.8, source="late", period_start=None, period_end=None),
    ],
    "a supplier's governance": governance("DDD", 1.5),
    "a stranger's governance": governance(STRANGER, 1.5),
    "a newer release of governance": [source("new", published="2025-06-01"), *governance("CCC", 0.0, 2024, "new")],
    "the same governance in a newer release": [
        source("new", published="2025-06-01"),
        *(row for place, code in enumerate(CODES) for row in governance(code, place / 2 - 1, source="new")),
    ],
    "who owns what": [control("BBB", "AAA", 0.25)],
    "a member": [membership("CLUB", "CCC", "2025-03-01")],
    "a list": [listing("a-list", "AAA", "zinc", valid_from="2025-03-01")],
    "a source": [source("other", precedence=1, evidence_level="article")],
    "a country before all others": [country("AAB")],
    "a mineral before all others": [mineral("antimony"), share("antimony", "CCC", 0.9)],
}


def followed(evidence: Evidence, *rows: Row) -> Evidence:
    """The next revision's evidence, in which a kind that nothing was written of is the same object."""
    listed = {**evidence.rows}
    for kind in {type(row) for row in rows} - {Share}:
        listed[kind.kind] = merged(kind, evidence.of(kind), [(row, False) for row in rows if type(row) is kind])
    shares = [(row, False) for row in rows if isinstance(row, Share)]
    sets = packed.merged(evidence.shares, shares) if shares else evidence.shares
    return replace(evidence, revision=evidence.revision + 1, rows=listed, shares=sets)


def after(base: World, *rows: Row) -> World:
    """The World that follows on another with some rows more."""
    world = build(followed(base.evidence, *rows), base)
    carry(base, world)
    return world


def asked() -> World:
    """A World of which everything has been asked."""
    world = build(EVIDENCE)
    _ = list(answers(world))
    return world


def answers(world: World) -> Iterator[bytes]:
    """What a World answers to whoever may ask, on all days."""
    for day in DAYS:
        for buyer in BUYERS:
            accounts = [
                Account.of(world, buyer, day),
                Account.of(world, buyer, day, attribution="control"),
                Account.of(world, buyer, day, mix="sourcing"),
            ]
            for account in accounts:
                yield from (msgspec.json.encode(account.score(name)) for name in world.minerals)
                yield from (msgspec.json.encode(account.sent(name)) for name in world.minerals)
                yield from (msgspec.json.encode(account.row(name)) for name in world.minerals)
            yield from (msgspec.json.encode(explain(accounts[0], name)) for name in world.minerals)


def tin(world: World) -> object:
    """What all who stand as this buyer does are told of tin."""
    return Account.of(world, "AAA", DAY).sent("tin").stages


@pytest.mark.parametrize("correction", CORRECTIONS)
def test_answers_are_those_of_a_world_that_took_nothing_over(correction: str) -> None:
    """To the byte, also where others follow."""
    world = asked()
    for each in (correction, "who owns what", "a supplier's governance"):
        world = after(world, *CORRECTIONS[each])
        assert list(answers(world)) == list(answers(build(world.evidence)))


@pytest.mark.parametrize(
    ("correction", "minerals", "ties"),
    [
        ("nothing that is asked for", True, True),
        ("a share", True, True),
        ("a stranger's governance", True, True),
        ("an agreement's note", True, False),
        ("a restriction's days", True, False),
        ("the order of suppliers", False, True),
        ("a supplier's governance", False, True),
        ("a restriction's type", False, False),
        ("a restriction before all others", False, False),
        ("who owns what", False, True),
    ],
)
def test_what_stays_the_same_is_not_worked_out_again(correction: str, minerals: bool, ties: bool) -> None:
    base = asked()
    world = after(base, *CORRECTIONS[correction])
    assert (tin(world) is tin(base)) == minerals
    assert (ties_on(world, DAY).standing("AAA") is ties_on(base, DAY).standing("AAA")) == ties


def test_draws_of_what_stays_the_same_are_taken_over() -> None:
    base = asked()
    before = sheet_on(base, DAY)
    for correction, same in (("an agreement ends", True), ("a share", False)):
        sheet = sheet_on(after(base, *CORRECTIONS[correction]), DAY)
        assert (sheet is before) == same
        assert sheet.only("tin").sample is before.only("tin").sample
        assert (sheet.only("cobalt").sample is before.only("cobalt").sample) == same


def test_a_world_is_let_go_by_those_that_follow_on_it() -> None:
    base = asked()
    gone = weakref.ref(base)
    world = base
    for correction in ("nothing that is asked for", "a stranger's governance", "an agreement ends"):
        world = after(world, *CORRECTIONS[correction])
    del base
    gc.collect()
    assert gone() is None
    assert list(answers(world))


def test_whom_an_agreement_reaches_is_looked_up_once_for_all_days_and_revisions() -> None:
    """Its cells depend on the suppliers and on what it says of minerals and countries, not on when it counts."""
    base = asked()
    reached = sheet_on(base, DAY).reached
    before = {key: found.tobytes() for key, found in reached.items()}
    assert before
    world = after(base, restriction("ban", "CCC", "cobalt", valid_to="2025-12-31"))
    assert list(answers(world))
    assert sheet_on(world, DAY).reached is reached
    assert {key: found.tobytes() for key, found in reached.items()} == before
