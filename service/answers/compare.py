"""Methods side by side: what each says of a mineral, and how alike they order all of them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from schemas.compare import Comparison, MethodValue, RankCorrelation, Ranked
from service.answers.catalog import list_places
from service.answers.methods import flags_of, method_ref
from service.answers.ratings import rated
from service.answers.rounding import measure
from service.answers.stamp import stamp
from service.methods import ENGINES, run
from service.methods.ranks import ranks, spearman
from service.risk.methods import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from service.methods import Valued
    from service.world.world import World


def compare_mineral(world: World, mineral: str, buyer: str, as_of: date) -> Comparison:
    """What every method says of one mineral for a buyer, beside what others have rated it."""
    methods = []
    for method in METHODS:
        values = run(world, method, buyer, as_of)
        methods.append(_method(method, values[mineral], ranks(_known(values))))
    return Comparison(
        **stamp(world, as_of),
        buyer=buyer,
        mineral=mineral,
        methods=methods,
        ratings=rated(world, mineral, as_of),
        lists=list_places(world, mineral, as_of),
        minerals=[],
        correlations=[],
    )


def compare_all(world: World, buyer: str, as_of: date) -> Comparison:
    """The ranks of all minerals under every method, and Spearman's correlation of every two methods."""
    known = {method: _known(run(world, method, buyer, as_of)) for method in METHODS}
    ranked = {method: ranks(values) for method, values in known.items()}
    return Comparison(
        **stamp(world, as_of),
        buyer=buyer,
        mineral=None,
        methods=[],
        ratings=[],
        lists=[],
        minerals=[
            Ranked(
                mineral=mineral.id,
                name=mineral.name_en,
                ranks={method: ranked[method].get(mineral.id) for method in METHODS},
                values={method: measure(known[method].get(mineral.id)) for method in METHODS},
            )
            for mineral in world.minerals.values()
        ],
        correlations=[_correlation(one, other, known) for one, other in combinations(METHODS, 2)],
    )


def _known(values: Mapping[str, Valued]) -> dict[str, float]:
    return {mineral: valued.value for mineral, valued in values.items() if valued.value is not None}


def _method(method: str, valued: Valued, ranked: Mapping[str, int]) -> MethodValue:
    return MethodValue(
        method=method_ref(method),
        title=METHODS[method].title,
        status="insufficient_data" if valued.value is None else "scored",
        reasons=list(valued.reasons) if valued.value is None else [],
        value=measure(valued.value),
        unit=ENGINES[method].unit,
        meaning=ENGINES[method].meaning,
        binding_stage=valued.stage,
        rank=ranked.get(valued.mineral),
        of=len(ranked),
        flags=flags_of(valued),
    )


def _correlation(one: str, other: str, known: Mapping[str, Mapping[str, float]]) -> RankCorrelation:
    both = sorted(known[one].keys() & known[other].keys())
    found = spearman([known[one][mineral] for mineral in both], [known[other][mineral] for mineral in both])
    return RankCorrelation(methods=[one, other], spearman=measure(found), minerals=len(both))
