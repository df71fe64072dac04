"""Which revisions wrote what a score rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from service.store.queries import load

if TYPE_CHECKING:
    from service.store.ledger import Connection

SQL = load("inputs")


async def revisions_of_score(
    connection: Connection, mineral: str, related: frozenset[str], first: int, last: int
) -> list[int]:
    """The revisions `first` to `last` that can have moved a score of the mineral, oldest first.

    `related` are the minerals it is a group or a member of, itself among them. What an agreement or a membership does
    to one buyer's score is not looked at: some of the revisions may have changed nothing for a buyer.
    """
    limit = 2**63 - 1
    records = await connection.fetch(
        SQL["revisions_of_score"], mineral, sorted(related), min(first, limit), min(last, limit)
    )
    return [record["revision"] for record in records]
