"""A ledger of very many shares: the shipped evidence, and editions of an imagined yearbook on top of it.

Every edition prints, for each mineral's stages, ten years of shares of some twenty suppliers: a few large ones and a
long tail, one in seven estimated, some withheld, every second edition with quantities. Of each hundred rows that stand,
fifteen replace an older version of theirs, spread over ten corrections, and five more were printed and then withdrawn;
so the table holds five rows for every four that stand.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import asyncpg
import msgspec

from service.migrate import migrate
from service.seeding import read_seeds, seed
from service.store.evidence import TABLES
from service.world.rows import Country, Mineral, Share, Source

NEWEST = 2023
"""The year of the newest edition; its figures end the year before, older than the newest that are shipped."""
YEARS = 10
SUPPLIERS = (6, 34)
CORRECTED, WITHDRAWN, CORRECTIONS = 0.15, 0.05, 10
COLUMNS = ("revision", "retracted", *TABLES["share"].columns)

Record = tuple[Any, ...]


@dataclass(frozen=True)
class Mix:
    """How many share rows of each fate a ledger holds; the shipped ones are not counted."""

    standing: int
    superseded: int
    retracted: int


def shares() -> Iterator[Share]:
    """Imagined shares without end, the same every time; newest edition first."""
    chance = random.Random(6)  # noqa: S311 - figures nobody keeps secret
    rows = list(read_seeds())
    countries = [row for row in rows if isinstance(row, Country)]
    places = [(row.id, stage) for row in rows if isinstance(row, Mineral) for stage in row.stages]
    suppliers = {place: chance.sample(countries, chance.randint(*SUPPLIERS)) for place in places}
    for back in count():
        edition, amounts = NEWEST - back, back % 2 == 0
        for year in range(edition - YEARS, edition):
            for place in places:
                yield from _printed(chance, f"yearbook-{edition}", place, year, suppliers[place], amounts=amounts)


def _printed(
    chance: random.Random, source: str, place: tuple[str, str], year: int, named: list[Country], *, amounts: bool
) -> Iterator[Share]:
    mineral, stage = place
    sizes = [round(1e6 * chance.paretovariate(1.2)) for _ in named]
    total = float(round(sum(sizes) * chance.uniform(1.0, 1.2)))
    for country, size in zip(named, sizes, strict=True):
        told = chance.random() > 0.03
        part = round(size / total, 6)
        yield Share(
            source=source,
            locator=f"Table {places_number(mineral)}, {mineral}, {country.name}",
            note="Rounded by the source." if chance.random() < 0.1 else "",
            mineral=mineral,
            stage=stage,  # type: ignore[arg-type]
            period_start=year,
            period_end=year,
            country=country.code,
            share=part if told else None,
            printed=("W" if not told else f"{size}" if amounts else f"{100 * part:.2f}%"),
            quantity=float(size) if amounts and told else None,
            total=total if amounts else None,
            unit="metric tons" if amounts else "",
            basis=f"{stage}, contained metal",
            qualifier="withheld" if not told else "estimated" if chance.random() < 1 / 7 else "",
        )


def places_number(mineral: str) -> int:
    """The number of a mineral's table."""
    return sum(mineral.encode()) % 90 + 1


async def fill(dsn: str, standing: int) -> Mix:
    """Fills an empty database with the shipped evidence and so many imagined shares that stand."""
    await migrate(dsn)
    await seed(dsn)
    connection = await asyncpg.connect(dsn)
    try:
        return await _fill(connection, standing)
    finally:
        await connection.close()


async def _fill(connection: asyncpg.Connection[asyncpg.Record], standing: int) -> Mix:
    withdrawn, corrected = round(standing * WITHDRAWN), round(standing * CORRECTED)
    rows = list(islice(shares(), standing + withdrawn))
    chosen = random.Random(7).sample(range(len(rows)), withdrawn + corrected)  # noqa: S311
    gone, wrong = chosen[:withdrawn], chosen[withdrawn:]
    first = 2
    last = first + CORRECTIONS + 1
    async with connection.transaction():
        sources = [_source(name) for name in dict.fromkeys(row.source for row in rows)]
        await connection.copy_records_to_table(
            "source",
            records=[(first, False, *msgspec.structs.astuple(row)) for row in sources],
            columns=("revision", "retracted", *TABLES["source"].columns),
        )
        mistaken = set(wrong)
        await _copy(
            connection,
            ((first, False, *_cells(_mistaken(row) if at in mistaken else row)) for at, row in enumerate(rows)),
        )
        await _copy(
            connection,
            ((first + 1 + at % CORRECTIONS, False, *_cells(rows[place])) for at, place in enumerate(wrong)),
        )
        await _copy(connection, ((last, True, *_cells(rows[place])) for place in gone))
        for number in range(first, last + 1):
            await connection.execute(_REVISION, number)
    await connection.execute("vacuum analyze share")
    return Mix(standing, corrected, withdrawn)


_REVISION = """
insert into revision (id, committed_at, author, reason, rows, digests, data_version)
select $1::bigint, clock_timestamp(), 'bench', 'imagined', jsonb_build_object('share', (select count(*) from share
       where revision = $1), 'source', (select count(*) from source where revision = $1)), '{}', md5($1::text)
"""


async def _copy(connection: asyncpg.Connection[asyncpg.Record], records: Iterator[Record]) -> None:
    await connection.copy_records_to_table("share", records=records, columns=COLUMNS)


def _cells(row: Share) -> Record:
    return msgspec.structs.astuple(row)


def _mistaken(row: Share) -> Share:
    return msgspec.structs.replace(row, share=0.001, printed="0.1%")


def _source(name: str) -> Source:
    edition = name.rsplit("-", 1)[1]
    return Source(
        id=name,
        title=f"An imagined yearbook, {edition}",
        publisher="nobody",
        published=f"{edition}-06-01",
        retrieved=f"{edition}-07-01",
        licence="none",
        evidence_level="statistics",
        precedence=900,
    )
