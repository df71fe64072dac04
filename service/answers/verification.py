"""Verifications as the wire contract has them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from schemas.verification import ListRuleCount, Verification, VerificationRow, VerificationTally
from service.answers.methods import method_ref
from service.answers.stamp import stamp
from service.methods.verification import UNPUBLISHED, VERDICTS, verify
from service.methods.verification.eu_crm import list_rules, tally
from service.risk.methods.eu_crm import ID as EU_CRM

if TYPE_CHECKING:
    from datetime import date

    from service.methods.verification import Case
    from service.methods.verification.eu_crm import Tally
    from service.world.world import World


def verification(world: World, method: str, as_of: date) -> Verification:
    """A method's verification over all its rows; it does not depend on the day."""
    cases = verify(world, method)
    of_eu = method == EU_CRM
    vintages = sorted({case.key.vintage for case in cases}, reverse=True)
    counts = Counter(case.verdict for case in cases)
    return Verification(
        **stamp(world, as_of),
        method=method_ref(method),
        note=UNPUBLISHED.get(method, ""),
        verdicts={verdict: counts[verdict] for verdict in VERDICTS},
        meanings=dict(VERDICTS.items()),
        tallies=[_tally(tally(cases, vintage)) for vintage in vintages] if of_eu else [],
        list_rule=_list_rule(world) if of_eu else [],
        rows=[row(case) for case in cases],
    )


def row(case: Case) -> VerificationRow:
    """One row, unrounded: a reader may want to see how far apart two numbers are."""
    return VerificationRow(
        method=case.key.method,
        vintage=case.key.vintage,
        material=case.key.material,
        stage=case.key.stage,
        buyer=case.key.buyer,
        published=case.published,
        computed=case.computed,
        difference=case.difference,
        verdict=case.verdict,
        reason=case.reason,
        group=case.group,
        low=case.low,
        high=case.high,
    )


def _tally(found: Tally) -> VerificationTally:
    return VerificationTally(
        vintage=found.vintage,
        rows=found.rows,
        published=found.published,
        exact=found.exact,
        within_rounding=found.within_rounding,
        within_tenth=found.within_tenth,
        within_two_tenths=found.within_two_tenths,
        same_side_of_threshold=found.same_side,
        predicted=found.predicted,
        not_computable=found.not_computable,
    )


def _list_rule(world: World) -> list[ListRuleCount]:
    return [
        ListRuleCount(
            year=rule.year,
            published=rule.published,
            computed=len(rule.critical),
            critical=list(rule.critical),
            open=list(rule.open),
        )
        for rule in list_rules(world)
    ]
