"""The explanation of a score: every number with where it comes from, chosen or not."""

from __future__ import annotations

from typing import Any

import pytest

from service.world.rows import Row
from tests.evidence import agreement, country, governance, mineral, restriction, share, source
from tests.serving import Service

DAY = "2026-02-05"
BASE: list[Row] = [
    source(licence="CC BY 4.0", edition="2025 edition", retrieved="2025-03-01"),
    *(country(code) for code in ("CHN", "PER", "USA")),
    mineral("tin"),
    *governance("CHN", -0.5),
    *governance("PER", 0.5, year=2021),
    *governance("PER", 0.0, year=2022),
    share(
        "tin", "CHN", 0.6, printed="60", quantity=60.0, total=100.0, unit="t", basis="metal content", locator="line 7"
    ),
    share("tin", "PER", 0.25, printed=">25 %", qualifier="estimated"),
    share("tin", "USA", None, printed="W", qualifier="withheld"),
]


async def explained(service: Service, **more: Any) -> Any:
    return await service.get("/v1/minerals/tin/score/explain", **({"buyer": "USA", "as_of": DAY} | more))


async def stage_of(service: Service, **more: Any) -> Any:
    (stage,) = (await explained(service, **more))["stages"]
    return stage


async def test_a_share_is_told_as_printed_beside_as_read(bare: Service) -> None:
    await bare.write(BASE)
    china, peru, usa = (await stage_of(bare))["suppliers"]
    assert (china["printed"], china["share"], china["quantity"], china["total"]) == ("60", 0.6, 60.0, 100.0)
    assert (china["unit"], china["basis"], china["source"]["locator"]) == ("t", "metal content", "line 7")
    assert (peru["printed"], peru["share"], peru["qualifier"]) == (">25 %", 0.25, "estimated")
    assert (usa["printed"], usa["share"], usa["contribution"]) == ("W", None, 0.0)


async def test_every_cited_source_is_there_with_edition_licence_and_retrieval(bare: Service) -> None:
    await bare.write(BASE)
    (cited,) = (await explained(bare))["sources"]
    assert (cited["id"], cited["edition"], cited["licence"]) == ("a-source", "2025 edition", "CC BY 4.0")
    assert (cited["retrieved"], cited["evidence_level"]) == ("2025-03-01", "statistics")


async def test_the_values_in_between_are_those_of_the_formula(bare: Service) -> None:
    """W = 2·(2.5 − mean), g = W/10, t = τ·(1 + (r − 1)(1 − ρ)), H = Σ s²·g·t: by hand."""
    treaty = agreement("pact", "PER", "USA", type="trade_agreement", binding="yes", in_force="2023")
    await bare.write([*BASE, treaty, restriction("ban", "CHN", "tin")])
    stage = await stage_of(bare)
    china, peru, _ = stage["suppliers"]
    assert [china[name] for name in ("w", "g", "tau", "r", "rho", "t")] == pytest.approx([6.0, 0.6, 1.0, 1.5, 0.0, 1.5])
    assert [peru[name] for name in ("w", "g", "tau", "r", "rho", "t")] == pytest.approx([4.5, 0.45, 0.85, 1, 0, 0.85])
    h = 0.6**2 * 0.6 * 1.5 + 0.25**2 * 0.45 * 0.85
    assert (stage["h"], stage["root"], stage["score"]) == pytest.approx((h, h**0.5, 100 * h**0.5))


async def test_governance_names_every_estimate(bare: Service) -> None:
    await bare.write(BASE)
    told = (await explained(bare))["governance"]
    peru = next(entry for entry in told["countries"] if entry["country"] == "PER")
    assert peru["years"] == [2021, 2022]
    assert len(peru["indicators"]) == 12
    assert {"year", "dimension", "estimate", "standard_error", "locator"} == peru["indicators"][0].keys()
    usa = next(entry for entry in told["countries"] if entry["country"] == "USA")
    assert (usa["w"], usa["g"], usa["indicators"]) == (None, None, [])
    assert told["releases"] == [{"source": "a-source", "outcome": "counts"}]


async def test_an_older_release_of_governance_is_named_as_not_used(bare: Service) -> None:
    newer = source("b-source", published="2025-09-01")
    await bare.write([*BASE, newer, *governance("CHN", -1.0, source="b-source")])
    told = (await explained(bare))["governance"]["releases"]
    assert {entry["source"]: entry["outcome"] for entry in told} == {"a-source": "older_release", "b-source": "counts"}


async def test_share_sets_not_chosen_say_why(bare: Service) -> None:
    def set_of(name: str, year: int, part: float) -> list[Row]:
        return [share("tin", "CHN", part, period_start=year, period_end=year, source=name)]

    await bare.write(
        [
            *BASE,
            *(source(name, precedence=place) for place, name in enumerate(("b-source", "c-source"), start=101)),
            *set_of("b-source", 2024, 0.9),
            *set_of("a-source", 2023, 0.9),
            *set_of("c-source", 2025, 0.5),
            *set_of("c-source", 2026, 0.9),
        ]
    )
    told = {(s["source"], s["period_end"]): s["outcome"] for s in (await stage_of(bare))["share_sets"]}
    assert told == {
        ("a-source", 2024): "counts",
        ("b-source", 2024): "lower_precedence",
        ("a-source", 2023): "older_period",
        ("c-source", 2025): "names_too_little",
        ("c-source", 2026): "not_ended",
    }


async def test_agreements_not_chosen_say_why(bare: Service) -> None:
    binding = {"type": "trade_agreement", "binding": "yes"}
    await bare.write(
        [
            *BASE,
            mineral("lead"),
            agreement("best", "PER", "USA", **binding, in_force="2023"),
            agreement("memo", "PER", "USA"),
            agreement("over", "PER", "USA", **binding, in_force="2010", ended="2020"),
            agreement("lead-only", "PER", "USA", scope="named", minerals=("lead",)),
            agreement("mines", "PER", "USA", stages=("extraction",)),
            agreement("elsewhere", "CHN", "PER"),
        ]
    )
    document = await explained(bare)
    _, peru, _ = document["stages"][0]["suppliers"]
    (reading,) = peru["readings"]
    assert {entry["id"]: entry["outcome"] for entry in reading["agreements"]} == {
        "best": "counts",
        "memo": "not_better",
        "over": "no_tie",
        "lead-only": "other_mineral",
        "mines": "other_stage",
    }
    assert {entry["id"]: entry["status"] for entry in document["agreements"]}["over"] == "ended"


async def test_restrictions_not_chosen_say_why(bare: Service) -> None:
    await bare.write(
        [
            *BASE,
            restriction("ban", "CHN", "tin"),
            restriction("tax", "CHN", "tin", type="tax"),
            restriction("over", "CHN", "tin", valid_to="2024"),
            restriction("aimed", "CHN", "tin", targets=("PER",)),
            restriction("mines", "CHN", "tin", stages=("extraction",)),
        ]
    )
    china, *_ = (await stage_of(bare))["suppliers"]
    assert {entry["id"]: entry["outcome"] for entry in china["readings"][0]["restrictions"]} == {
        "ban": "counts",
        "tax": "not_stronger",
        "over": "not_in_force",
        "aimed": "other_buyer",
        "mines": "other_stage",
    }


async def test_a_score_there_is_not_is_explained_too(bare: Service) -> None:
    await bare.write([*BASE, mineral("lead", stages=("extraction", "processing")), share("lead", "PER", 0.3)])
    told = await bare.get("/v1/minerals/lead/score/explain", buyer="USA", as_of=DAY)
    assert (told["status"], told["score"], told["binding_stage"]) == ("insufficient_data", None, None)
    extraction, processing = told["stages"]
    assert (extraction["h"], extraction["share_sets"], extraction["suppliers"]) == (None, [], [])
    assert (processing["named_and_governed"], processing["score"]) == (0.3, None)
    assert processing["reasons"] != []


async def test_the_explanation_agrees_with_the_score(bare: Service) -> None:
    """Of the same day and revision: what is told here in full is what is printed there."""
    await bare.write(BASE)
    told = await explained(bare)
    printed = await bare.get("/v1/minerals/tin/score", buyer="USA", as_of=DAY)
    assert (round(told["score"], 1), told["band"], told["data_version"]) == (
        printed["score"],
        printed["band"],
        printed["data_version"],
    )
    assert told["interval"] == printed["interval"]
    assert [flag["flag"] for flag in told["flags"]] == printed["flags"]


async def test_an_older_revision_is_explained_as_it_was_known(bare: Service) -> None:
    await bare.write(BASE)
    before = await bare.client.get(f"/v1/minerals/tin/score/explain?buyer=USA&as_of={DAY}&known_at=1")
    await bare.write([share("tin", "CHN", 0.5, printed="50")])
    again = await bare.client.get(f"/v1/minerals/tin/score/explain?buyer=USA&as_of={DAY}&known_at=1")
    assert (again.content, again.headers["etag"]) == (before.content, before.headers["etag"])
    assert (await stage_of(bare))["suppliers"][0]["printed"] == "50"


@pytest.mark.parametrize(("path", "status"), [("tin/score/explain", 400), ("brass/score/explain?buyer=USA", 404)])
async def test_a_request_that_makes_no_sense_is_refused(bare: Service, path: str, status: int) -> None:
    await bare.write(BASE)
    answer = await bare.client.get(f"/v1/minerals/{path}")
    assert answer.status_code == status
