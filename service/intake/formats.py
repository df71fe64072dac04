"""The formats that can be imported, each with what it is, the kinds of evidence in it, and the reader that takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from functools import partial
from typing import Final, NamedTuple

from service.intake import baci, eu_study, forms, iea, usgs, usgs_imports, wgi, wmd
from service.intake.names import Names
from service.intake.problems import Problem, Skipped
from service.intake.usgs_layouts import LAYOUTS
from service.world.rows import KINDS, Row


class Context(NamedTuple):
    """What a reader has to know beside the file: names, the source to cite, for trade countries and tariff lines."""

    names: Names
    source: str
    numbers: Mapping[str, str] = {}
    tariff_lines: Set[str] = frozenset()


Reader = Callable[[Iterator[str], Context], Iterator[Row | Problem | Skipped]]


class Edition(NamedTuple):
    """How a file in hand is read, and which edition it is if that can be told; each reader goes over the whole file."""

    edition: str | None
    encoding: str
    readers: tuple[Reader, ...]


class Format(NamedTuple):
    """A format of files. Sources of a publication are called PUBLICATION-EDITION; forms name theirs in each row."""

    id: str
    description: str
    kinds: tuple[str, ...]
    publication: str | None
    tell: Callable[[bytes], Edition]
    """Says how a file is read, from its first line."""
    editions: tuple[str, ...] = ()
    """The only editions whose period the reader knows; any edition if empty."""


def _always(edition: str | None, encoding: str, reader: Reader) -> Callable[[bytes], Edition]:
    return lambda _: Edition(edition, encoding, (reader,))


def _of(read: Callable[[Iterator[str], Names, str], Iterator[Row | Problem | Skipped]]) -> Reader:
    return lambda lines, context: read(lines, context.names, context.source)


def _usgs(first_line: bytes) -> Edition:
    layout = next((layout for layout in LAYOUTS if layout.mark.encode() in first_line), None)
    if layout is None:
        return Edition(None, "utf-8-sig", (_of(usgs.read),))
    readers = (_of(usgs.read), _of(usgs_imports.read))  # the edition of 2025 has the world tables only
    return Edition(layout.edition, layout.encoding, readers if layout.edition == "2026" else readers[:1])


def _trade(lines: Iterator[str], context: Context) -> Iterator[Row | Problem | Skipped]:
    return baci.read(lines, context.names, context.source, context.numbers, context.tariff_lines)


def _form(kind: type[Row], lines: Iterator[str], context: Context) -> Iterator[Row | Problem | Skipped]:
    return forms.read(kind, lines, source=context.source or None, names=context.names)


FORM: Final = "form:"
"""How the ids of the project's own forms begin; the kind of evidence follows."""

_PUBLISHED: Final = (
    Format(
        "usgs-mcs",
        "USGS Mineral Commodity Summaries, the world tables as published, editions 2025 and 2026",
        ("share", "reserve", "sourcing", "reliance"),
        "usgs-mcs",
        _usgs,
    ),
    Format(
        "eu-supply-shares",
        "EU study on critical raw materials 2023, annex of global supply shares (fact_GlobalSupplyShares_t.csv)",
        ("share", "parameter"),
        "eu-crm",
        _always("2023", eu_study.ENCODING, _of(eu_study.supply)),
        ("2023",),
    ),
    Format(
        "eu-sourcing-shares",
        "EU study on critical raw materials 2023, annex of EU sourcing shares (fact_EUSupplyShares_t.csv)",
        ("sourcing", "parameter"),
        "eu-crm",
        _always("2023", eu_study.ENCODING, _of(eu_study.sourcing)),
        ("2023",),
    ),
    Format(
        "wgi",
        "World Bank, Worldwide Governance Indicators, one release; the file does not say which, so name the edition",
        ("governance",),
        "wgi",
        _always(None, wgi.ENCODING, _of(wgi.read)),
    ),
    Format(
        "iea-supply",
        "IEA Global Critical Minerals Outlook, mining and refining by country in long form, observed years",
        ("share",),
        "iea",
        _always("2025", iea.ENCODING, _of(iea.read)),
    ),
    Format(
        "baci",
        "CEPII BACI bilateral trade, as published (with its country codes) or tidied; the ledger's tariff lines only",
        ("trade",),
        "baci",
        _always(None, baci.ENCODING, _trade),
    ),
    Format(
        "wmd",
        "World Mining Data, production by commodity, country and year in long form",
        ("production",),
        "wmd",
        _always(None, wmd.ENCODING, _of(wmd.read)),
    ),
)

FORMATS: Final[dict[str, Format]] = {each.id: each for each in _PUBLISHED} | {
    FORM + kind.kind: Format(
        FORM + kind.kind,
        f"the project's own form for {kind.kind.replace('_', ' ')}: {', '.join(kind.__struct_fields__)}",
        (kind.kind,),
        None,
        _always(None, forms.ENCODING, partial(_form, kind)),
    )
    for kind in KINDS
}
"""Every format by its id."""
