"""Rows of evidence written down briefly: everything a test does not speak of has a value that means nothing special."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from service.world.evidence import Evidence, in_order
from service.world.packed import pack
from service.world.rows import (
    Agreement,
    Bloc,
    Country,
    Governance,
    Listing,
    Membership,
    Mineral,
    Provision,
    Restriction,
    Row,
    Share,
    Source,
)
from service.world.world import World, build

SOURCE = "a-source"
INDICATORS = ("cc", "ge", "pv", "rl", "rq", "va")


def source(name: str = SOURCE, **more: Any) -> Source:
    return Source(
        **{
            "id": name,
            "title": f"Title of {name}",
            "publisher": "A publisher",
            "retrieved": "2020-01-01",
            "licence": "free",
            "evidence_level": "statistics",
            "precedence": 100,
        }
        | more
    )


def country(code: str, **more: Any) -> Country:
    return Country(**{"code": code, "alpha_2": code[:2], "name": f"Name of {code}", "source": SOURCE} | more)


def mineral(name: str, **more: Any) -> Mineral:
    fields = {"id": name, "name_en": name.title(), "name_de": name.title(), "stages": ("processing",), "source": SOURCE}
    return Mineral(**fields | more)


def listing(on: str, owner: str, mineral: str, **more: Any) -> Listing:
    fields = {"list": on, "owner": owner, "mineral": mineral, "status": "critical", "printed": mineral}
    return Listing(**fields | {"valid_from": "2020-01-01", "source": SOURCE} | more)


def bloc(name: str, **more: Any) -> Bloc:
    return Bloc(**{"id": name, "name": f"Name of {name}", "type": "group", "source": SOURCE} | more)


def membership(bloc: str, country: str, valid_from: str = "2020-01-01", **more: Any) -> Membership:
    return Membership(**{"bloc": bloc, "country": country, "valid_from": valid_from, "source": SOURCE} | more)


def share(mineral: str, country: str, share: float | None, **more: Any) -> Share:
    """A share of processing in 2024, as printed."""
    fields = {"mineral": mineral, "country": country, "share": share, "printed": f"{share}", "stage": "processing"}
    return Share(**fields | {"period_start": 2024, "period_end": 2024, "source": SOURCE} | more)


def governance(country: str, estimate: float, year: int = 2023, source: str = SOURCE) -> list[Governance]:
    """All six indicators of a year at the same estimate, so that g = (2.5 − estimate)/5."""
    return [
        Governance(country=country, dimension=indicator, year=year, estimate=estimate, stderr=0.2, source=source)
        for indicator in INDICATORS
    ]


def agreement(name: str, *parties: str, **more: Any) -> Agreement:
    """A memorandum signed on 2022-03-04 that covers every mineral."""
    fields = {"id": name, "title": f"Title of {name}", "type": "memorandum", "binding": "no", "parties": parties}
    fields |= {"signed": "2022-03-04", "scope": "all", "evidence_level": "official_text", "source": SOURCE}
    return Agreement(**fields | more)


def provision(agreement: str, **more: Any) -> Provision:
    """A binding clause of an agreement that forbids every restriction of exports."""
    fields = {"id": f"{agreement}-1", "agreement": agreement, "type": "no_export_restriction", "binding": "yes"}
    return Provision(**fields | {"text": "no bans", "evidence_level": "official_text", "source": SOURCE} | more)


def restriction(name: str, country: str, mineral: str, **more: Any) -> Restriction:
    """A ban on what is processed, from 2022-03-04, that hits everybody."""
    fields = {"id": name, "country": country, "mineral": mineral, "type": "ban", "stages": ("processing",)}
    return Restriction(**fields | {"valid_from": "2022-03-04", "printed": "a ban", "source": SOURCE} | more)


def world_of(*rows: Row | Iterable[Row]) -> World:
    """The World of some rows, with the source they cite, as the ledger would hand them over."""
    return build(evidence_of(*rows))


def evidence_of(*rows: Row | Iterable[Row]) -> Evidence:
    """The evidence of some rows, with the source they cite; of rows with the same key the last one stands."""
    by_kind: dict[type[Row], dict[Any, Row]] = defaultdict(dict)
    for entry in (source(), *rows):
        for row in (entry,) if isinstance(entry, Row) else entry:
            by_kind[type(row)][tuple(getattr(row, name) for name in row.key)] = row
    kinds = {kind: in_order(kind, found.values()) for kind, found in by_kind.items()}
    shares = pack(kinds.pop(Share, []))  # type: ignore[arg-type]
    return Evidence(
        1, datetime(2026, 1, 1, tzinfo=UTC), "0" * 32, {k.kind: found for k, found in kinds.items()}, shares
    )
