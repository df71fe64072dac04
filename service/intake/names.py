"""From the names that sources print to the ledger's codes and slugs."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Set
from difflib import get_close_matches

from service.world.rows import Country, Mineral

LONGEST_NAME = 100
"""Characters of a printed name that are compared with the known ones."""

MOST_SUGGESTIONS = 500
"""Different unknown names that get a suggestion, which takes milliseconds: a file of nothing else must not stall."""


class UnknownName(Exception):
    """A printed name that nobody has mapped; its text says which known names come closest."""


def fold(printed: str) -> str:
    """A name's form for comparing: without regard to case, kind of space or apostrophe, and hyphens."""
    text = unicodedata.normalize("NFKC", printed).replace("’", "'").replace("-", " ")
    return " ".join(text.casefold().split())


def closest(printed: str, known: Iterable[str], count: int = 3) -> str:
    """The known names most like a printed one, for a person to choose from; with what they mean, if it is known."""
    near = get_close_matches(fold(printed[:LONGEST_NAME]), list(known), n=count, cutoff=0.5)
    means = {name: known[name] if isinstance(known, Mapping) else name for name in near}
    told = [meant if fold(meant) == name else f"{name} ({meant})" for name, meant in means.items()]
    return f"closest known: {', '.join(told)}" if told else "nothing known comes close"


class Names:
    """Countries and minerals by every name the ledger has for them.

    `corrections` maps further printed names to a country code or a mineral slug; it is how a user teaches a new
    edition's spelling, and it goes before what the ledger says.
    """

    def __init__(
        self, countries: Iterable[Country], minerals: Iterable[Mineral], corrections: Mapping[str, str] | None = None
    ) -> None:
        countries, minerals = tuple(countries), tuple(minerals)
        self._codes = frozenset(country.code for country in countries)
        self._members = {mineral.id: mineral.members for mineral in minerals if mineral.members}
        self._countries = {
            fold(name): country.code
            for country in countries
            for name in (country.code, country.name, country.official_name, *country.aliases)
            if name
        }
        self._minerals = {
            fold(name): mineral.id for mineral in minerals for name in (mineral.id, mineral.name_en, *mineral.aliases)
        }
        self._corrections: dict[str, str] = {}
        for printed, meant in (corrections or {}).items():
            known = self._countries if meant in self._countries.values() else self._minerals
            known[fold(printed)] = self._corrections[fold(printed)] = meant
        self._suggested: dict[tuple[str, str], str] = {}

    def country(self, printed: str) -> str:
        """The code of a country as printed, or UnknownName."""
        return self._find(printed, self._countries, "country")

    def mineral(self, printed: str) -> str:
        """The slug of a mineral as printed, or UnknownName."""
        return self._find(printed, self._minerals, "mineral")

    @property
    def codes(self) -> Set[str]:
        """The codes of all countries."""
        return self._codes

    def corrected(self, printed: str) -> str:
        """What a correction says a printed name means, else the name itself."""
        return self._corrections.get(fold(printed), printed) if self._corrections else printed

    def members(self, group: str) -> tuple[str, ...]:
        """The minerals a group stands for; none for a mineral of its own."""
        return self._members.get(group, ())

    def _find(self, printed: str, known: Mapping[str, str], what: str) -> str:
        try:
            return known[fold(printed)]
        except KeyError:
            raise UnknownName(f"a known {what}{self._suggestion(printed, known, what)}") from None

    def _suggestion(self, printed: str, known: Mapping[str, str], what: str) -> str:
        if (what, printed) not in self._suggested:
            if len(self._suggested) >= MOST_SUGGESTIONS:
                return ""
            self._suggested[what, printed] = f"; {closest(printed, known)}"
        return self._suggested[what, printed]


def wanted_name(kinds: tuple[str, ...], cell: str, names: Names) -> str | None:
    """What a column that names a country or a mineral takes in place of `cell`; None for one that names others."""
    told = []
    for kind, find in (("country", names.country), ("mineral", names.mineral)):
        if kind in kinds:
            try:
                return f"the {'code' if kind == 'country' else 'id'} {find(cell)}"
            except UnknownName as unknown:
                told.append(str(unknown))
    return told[0] if told else None
