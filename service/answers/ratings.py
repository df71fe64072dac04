"""What others have rated a mineral, and the official lists it is on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.compare import RatingItem, Ratings
from service.answers.catalog import cite, list_places
from service.answers.stamp import stamp

if TYPE_CHECKING:
    from datetime import date

    from service.world.rows import Rating
    from service.world.world import World


def ratings(world: World, mineral: str, as_of: date) -> Ratings:
    """A mineral's ratings by others up to the year of a day, and the lists in force on it."""
    return Ratings(
        **stamp(world, as_of),
        mineral=mineral,
        ratings=rated(world, mineral, as_of),
        lists=list_places(world, mineral, as_of),
    )


def rated(world: World, mineral: str, as_of: date) -> list[RatingItem]:
    """The ratings of others, by source, measure and year; none made in a later year than the day's."""
    rows = [row for row in world.studies.ratings.get(mineral, ()) if row.year <= as_of.year]
    return [_item(row) for row in sorted(rows, key=lambda row: (row.source, row.measure, row.year, row.label))]


def _item(row: Rating) -> RatingItem:
    return RatingItem(
        label=row.label,
        measure=row.measure,
        year=row.year,
        value=row.value,
        printed=row.printed,
        source=cite(row),
    )
