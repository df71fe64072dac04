"""The design most would write: FastAPI, pydantic and async SQLAlchemy, the score computed from Postgres per request.

It reads the same ledger and gives the same score; it does without intervals, coverage and flags.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from service.risk.partners import LADDER, RestrictionType, Tier, tier_of
from service.world.dates import happened, holds, paused, settled

STANDING = (
    "select * from (select distinct on ({key}) * from {table} order by {key}, revision desc) n where not retracted"
)


class Supplier(BaseModel):
    country: str
    share: float
    governance: float | None
    partner_factor: float
    tie: str
    contribution: float


class Stage(BaseModel):
    stage: str
    score: float
    reference_year: int | None
    suppliers: list[Supplier]


class Score(BaseModel):
    mineral: str
    buyer: str
    as_of: date
    score: float | None
    binding_stage: str | None
    stages: list[Stage]


def _url() -> Any:
    return make_url(os.environ["CHOKEPOINT_DATABASE_URL"]).set(drivername="postgresql+asyncpg")


engine = create_async_engine(_url(), pool_size=10)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield
    await engine.dispose()


app = FastAPI(lifespan=lifespan)


async def rows(connection: AsyncConnection, table: str, key: str, where: str = "true", **values: Any) -> list[Any]:
    """The standing rows of a table that meet a condition."""
    statement = f"select * from ({STANDING.format(table=table, key=key)}) s where {where}"
    return list((await connection.execute(text(statement), values)).mappings())


@app.get("/v1/minerals/{mineral}/score")
async def score(mineral: str, buyer: str, as_of: date | None = None) -> Score:
    day = as_of or datetime.now(UTC).date()
    async with engine.connect() as connection:
        shares = await rows(
            connection, "share", "source, mineral, stage, period_start, period_end, country", "mineral = :m", m=mineral
        )
        cited = list({row["source"] for row in shares})
        sources = {row["id"]: row for row in await rows(connection, "source", "id", "id = any(:ids)", ids=cited)}
        chosen = {
            stage: _choose([row for row in shares if row["stage"] == stage], sources, day)
            for stage in ("extraction", "processing")
        }
        countries = list({row["country"] for found in chosen.values() for row in found})
        weights = await _weights(connection, countries, day)
        ties = await _Ties.read(connection, mineral, buyer, day)
    stages = [_stage(stage, found, weights, ties) for stage, found in chosen.items() if found]
    best = max(stages, key=lambda s: s.score, default=None)
    return Score(
        mineral=mineral,
        buyer=buyer,
        as_of=day,
        score=round(best.score, 1) if best else None,
        binding_stage=best.stage if best else None,
        stages=stages,
    )


def _choose(shares: list[Any], sources: dict[str, Any], day: date) -> list[Any]:
    sets: dict[tuple[Any, ...], list[Any]] = {}
    for row in shares:
        sets.setdefault((row["source"], row["period_start"], row["period_end"]), []).append(row)

    def speaks(key: tuple[Any, ...]) -> bool:
        source = sources[key[0]]
        return key[2] < day.year if key[2] else settled(source["published"] or source["retrieved"]) <= day

    def named(key: tuple[Any, ...]) -> float:
        return float(sum(row["share"] or 0 for row in sets[key]))

    keys = [key for key in sets if speaks(key)]
    full = [key for key in keys if named(key) >= 0.8]
    if full:
        return sets[min(full, key=lambda k: (-(k[2] or 0), sources[k[0]]["precedence"], k[0]))]
    return sets[min(keys, key=lambda k: -named(k))] if keys else []


async def _weights(connection: AsyncConnection, countries: list[str], day: date) -> dict[str, float]:
    found = await rows(
        connection,
        "governance",
        "source, country, dimension, year",
        "country = any(:countries) and year between :low and :high and source = 'wgi-2024'",
        countries=countries,
        low=min(day.year - 1, 2023) - 4,
        high=min(day.year - 1, 2023),
    )
    by_country: dict[str, dict[int, list[float]]] = {}
    for row in found:
        by_country.setdefault(row["country"], {}).setdefault(row["year"], []).append(row["estimate"])
    weights = {}
    for country, years in by_country.items():
        means = [sum(values) / 6 for values in years.values() if len(values) == 6]
        if means:
            weights[country] = (2.5 - sum(means) / len(means)) / 5
    return weights


class _Ties:
    def __init__(self, tiers: dict[str, Tier], restrictions: dict[str, float]) -> None:
        self.tiers, self.restrictions = tiers, restrictions

    @classmethod
    async def read(  # noqa: C901 - written as most would write it
        cls, connection: AsyncConnection, mineral: str, buyer: str, day: date
    ) -> _Ties:
        members: dict[str, set[str]] = {}
        for row in await rows(connection, "membership", "bloc, country, valid_from"):
            if holds(row["valid_from"], row["valid_to"], day):
                members.setdefault(row["bloc"], set()).add(row["country"])
        markets = [
            row["id"]
            for row in await rows(connection, "bloc", "id")
            if row["type"] in ("single_market", "customs_union")
        ]
        listed = {
            row["owner"]
            for row in await rows(connection, "listing", "list, mineral, status", "mineral = :m", m=mineral)
            if holds(row["valid_from"], row["valid_to"], day)
        }
        tiers: dict[str, Tier] = {}
        for row in await rows(connection, "agreement", "id"):
            status = _status(row, day)
            tier = tier_of(row["type"], row["binding"], status)  # type: ignore[arg-type]
            covers = (
                row["scope"] == "all"
                or (row["scope"] == "named" and mineral in row["minerals"])
                or (row["scope"] == "critical" and bool(listed & {buyer, *row["parties"]}))
            )
            own = [p for p in row["parties"] if p == buyer or buyer in members.get(p, ())]
            if tier is Tier.NONE or not covers or not own:
                continue
            others = row["parties"] if len(row["parties"]) == 1 else [p for p in row["parties"] if p != own[0]]
            for party in others:
                for country in members.get(party, {party}):
                    tiers[country] = min(tier, tiers.get(country, Tier.NONE))
        for market in markets:
            if buyer in members.get(market, ()):
                for country in members[market]:
                    tiers[country] = min(Tier.SINGLE_MARKET, tiers.get(country, Tier.NONE))
        tiers[buyer] = Tier.HOME
        restrictions: dict[str, float] = {}
        for row in await rows(connection, "restriction", "id", "mineral = :m", m=mineral):
            if holds(row["valid_from"], row["valid_to"], day) and not paused(row["suspended"], row["resumed"], day):
                r = LADDER.r(RestrictionType[row["type"].upper()], row["factor"]).central
                restrictions[row["country"]] = max(r, restrictions.get(row["country"], 1.0))
        return cls(tiers, restrictions)


def _status(row: Any, day: date) -> str:
    if happened(row["ended"], day):
        return "ended"
    if happened(row["in_force"], day):
        return "in_force"
    return "signed" if happened(row["signed"], day) else "pending"


def _stage(stage: str, shares: list[Any], weights: dict[str, float], ties: _Ties) -> Stage:
    suppliers = []
    for row in shares:
        if not row["share"]:
            continue
        tier = ties.tiers.get(row["country"], Tier.NONE)
        factor = LADDER.tau(tier).central * ties.restrictions.get(row["country"], 1.0)
        weight = weights.get(row["country"])
        contribution = row["share"] ** 2 * (weight or 0.0) * factor
        suppliers.append(
            Supplier(
                country=row["country"],
                share=row["share"],
                governance=weight,
                partner_factor=factor,
                tie=tier.label,
                contribution=contribution,
            )
        )
    suppliers.sort(key=lambda s: -s.share)
    h = sum(s.contribution for s in suppliers)
    return Stage(stage=stage, score=100 * min(1, h**0.5), reference_year=shares[0]["period_end"], suppliers=suppliers)
