"""Two lenses on output: where it stands (territory), and who controls the capacity (control).

Control is a World of its own: the same World with the shares of every host re-attributed to those who control its
capacity, and scored as any other. Governance, ties and restrictions are then those of the controlling country.

Which figures count for a host on a day: those of the newest year that had ended, of the source of the best precedence
among them; figures of different sources or years are never mixed for one host. Only ownership is re-attributed.
Offtake commits output without moving it: it says what is available to the market.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from service.risk import control
from service.world.dates import last_year
from service.world.doubt import sd_by_country
from service.world.memo import kept
from service.world.shares import ShareSet, reshaped

if TYPE_CHECKING:
    from datetime import date

    from service.world.rows import Control
    from service.world.world import World

Attribution = Literal["territory", "control"]
Kind = Literal["ownership", "offtake"]

MOST_BY_CONTROL = 4
"""Worlds by control that are kept, for the figures of as many years: each keeps what is worked out from it."""


def attributed(world: World, attribution: Attribution, as_of: date) -> World:
    """The World through a lens on a day."""
    if attribution == "territory":
        return world
    return kept(world, "by control", MOST_BY_CONTROL).get(world.period(as_of), lambda: _by_control(world, as_of))


def figures(world: World, mineral: str, stage: str, kind: Kind, as_of: date) -> dict[str, tuple[Control, ...]]:
    """The figures that count for a mineral's stage on a day, by host."""
    found: dict[str, list[Control]] = {}
    for row in world.controls:
        counts = row.share is not None and row.year <= last_year(as_of)
        if counts and (row.mineral, row.stage, row.type) == (mineral, stage, kind):
            found.setdefault(row.host, []).append(row)
    return {host: _newest(world, rows) for host, rows in found.items()}


def _newest(world: World, rows: list[Control]) -> tuple[Control, ...]:
    def order(row: Control) -> tuple[int, int, str]:
        return -row.year, world.sources[row.source].precedence, row.source

    first = min(map(order, rows))
    return tuple(row for row in rows if order(row) == first)


def parts(rows: dict[str, tuple[Control, ...]]) -> dict[str, dict[str, float]]:
    """Figures as numbers: the part of each host's capacity, by host and controller."""
    return {host: {row.controller: row.share or 0.0 for row in named} for host, named in rows.items()}


def available_to_market(shares: ShareSet, rows: dict[str, tuple[Control, ...]], buyers: frozenset[str]) -> float | None:
    """The part of world output that is named and not committed to others than `buyers`; None without figures."""
    return control.available(shares.by_country, parts(rows), buyers) if rows else None


def _by_control(world: World, as_of: date) -> World:
    sets = dict(world.share_sets)
    for mineral, stage in {(row.mineral, row.stage) for row in world.controls}:
        if rows := figures(world, mineral, stage, "ownership", as_of):
            held = sets.get((mineral, stage), ())
            sets[mineral, stage] = tuple(_re_attributed(world, each, rows, as_of) for each in held)
    return world.changed(share_sets=sets)


def _re_attributed(world: World, shares: ShareSet, rows: dict[str, tuple[Control, ...]], as_of: date) -> ShareSet:
    """A set by controller; what somebody holds is known as well as the shares of the hosts it is held in."""
    sd = sd_by_country(world, shares, as_of)
    held = control.by_control(shares.by_country, parts(rows))
    totals = {controller: sum(by_host.values()) for controller, by_host in held.items()}
    means = {
        controller: sum(part * sd[host] for host, part in held[controller].items()) / total
        for controller, total in totals.items()
        if total > 0
    }
    widest = max(sd.values())
    return reshaped(
        shares,
        {controller: min(1.0, total) for controller, total in totals.items()},
        sd | {controller: min(mean, widest) for controller, mean in means.items()},
        world.country_index,
    )
