"""The shipped evidence: the CSV forms under seeds/, written to the ledger as one revision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from service.intake import forms
from service.intake.problems import Problem
from service.intake.tables import decode
from service.migrate import connected
from service.settings import OperatorError
from service.store.ledger import Revision, revise
from service.world.rows import KINDS, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

SEEDS = Path(__file__).resolve().parent.parent / "seeds"


class SeedError(OperatorError):
    """A seed file that is not well-formed; the text names every line at fault."""


def read_seeds(folder: Path = SEEDS) -> Iterator[Row]:
    """Every row of the seed files. Raises SeedError with all problems at once."""
    problems: list[str] = []
    for kind in KINDS:
        path = folder / f"{kind.kind}.csv"
        if not path.exists():  # no evidence of this kind is shipped
            continue
        with path.open("rb") as file:
            for item in forms.read(kind, decode(file, "utf-8")):
                if isinstance(item, Problem):
                    problems.append(f"{path.name}:{item.line} {item.column} {item.value!r}: {item.expected}")
                else:
                    yield item
    if problems:
        raise SeedError("\n".join(problems))


async def seed(dsn: str, folder: Path = SEEDS) -> Revision | None:
    """Writes the seed files to the ledger; None when it holds all of it already. All or nothing."""
    async with connected(dsn) as connection:
        async with revise(connection, author="chokepoint", reason="shipped evidence") as draft:
            await draft.observe(read_seeds(folder))
        return draft.revision
