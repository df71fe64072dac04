"""Share sets kept packed: what comes out is what went in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from service.world.evidence import in_order
from service.world.packed import pack
from service.world.rows import Share
from tests.evidence import share

TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=8)
AMOUNTS = st.none() | st.floats(0, 1e300)
SHARES = st.builds(
    lambda name, code, part, year, **more: share(name, code, part, period_start=year, period_end=year, **more),
    st.sampled_from(("cobalt", "tin")),
    st.sampled_from(("AAA", "BBB", "CCC")),
    st.none() | st.floats(0, 1),
    st.none() | st.integers(1900, 2100),
    source=st.sampled_from(("a", "b")),
    locator=TEXTS,
    note=TEXTS,
    printed=TEXTS,
    quantity=AMOUNTS,
    total=AMOUNTS,
    unit=TEXTS,
    basis=TEXTS,
    qualifier=st.sampled_from(("", "estimated")),
)


@given(st.lists(SHARES, unique_by=lambda row: tuple(getattr(row, name) for name in row.key), max_size=12))
def test_sets_give_back_the_rows_they_were_packed_from(rows: list[Share]) -> None:
    """Every field to the bit, each row in the set it belongs to, the sets of a place by source and period."""
    places = pack(in_order(Share, rows))
    sets = [each for found in places.values() for each in found]
    assert in_order(Share, (row for each in sets for row in each.rows)) == in_order(Share, rows)
    for place, found in places.items():
        assert all((each.mineral, each.stage) == place and each.count == len(each.rows) for each in found)
        told = [(each.source, each.period is None, each.period or (0, 0)) for each in found]
        assert told == sorted(set(told))
