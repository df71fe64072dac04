"""Reading evidence: shares come packed by the database, and are those that were written."""

from __future__ import annotations

from typing import Any

import asyncpg

from service.store import reading
from service.world.rows import Share
from tests.evidence import country, mineral, share, source

AWKWARD = [
    share("tin", "AAA", 0.1 + 0.2, note='"quoted"\n\ttab \\ ü 鉱 \x1f', quantity=1e22, total=1.0),
    share("tin", "BBB", None, quantity=5e-324, total=123456789.123456789),
    share("tin", "CCC", 1 / 3, period_start=None, period_end=None),
]


async def test_packed_shares_are_exact(ledger: Any, dsn: str) -> None:
    """Also where the database is set to write numbers short: answers are given again to the bit."""
    await ledger.write(source(), *map(country, ("AAA", "BBB", "CCC")), mineral("tin"), *AWKWARD)
    connection = ledger.connection
    name = await connection.fetchval("select current_database()")
    for digits in (1, 0, -5):
        await connection.execute(f"alter database {name} set extra_float_digits = {digits}")
        other = await asyncpg.connect(dsn)
        head = await reading.head(other)
        assert head is not None
        shares = (await reading.evidence(other, head)).shares
        found = [row for sets in shares.values() for each in sets for row in each.rows]
        assert found == await ledger.standing(Share) == AWKWARD
        await other.close()
