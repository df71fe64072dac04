"""Faults in bodies: whatever is wrong, the pointer leads to it."""

from __future__ import annotations

from typing import Any, get_args

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from schemas.change import Change, NewAgreement, Step
from schemas.scenario import Scenario
from service.http.bodies import fault_of

TAGS = [msgspec.inspect.type_info(kind).tag for kind in get_args(Change)]  # type: ignore[attr-defined]
FIELDS = sorted(
    {name for kind in (*get_args(Change), NewAgreement, Step, Scenario) for name in kind.__struct_encode_fields__}
)

scalars = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(0, 2) | st.sampled_from(["USA", "tin", "x/~y", ""])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*FIELDS, "x/~y"]), inner, max_size=3),
    max_leaves=6,
)
steps = st.dictionaries(
    st.sampled_from(["forum", "x/~y"]),
    st.dictionaries(st.sampled_from([*Step.__struct_fields__, "x"]), st.integers(0, 5), max_size=4) | values,
    max_size=2,
)
changes = st.builds(
    lambda tag, rest: rest | {"change": tag},
    st.sampled_from(TAGS) | values,
    st.dictionaries(st.sampled_from(FIELDS), values, max_size=4),
) | st.builds(lambda given: {"change": "set_ladder", "steps": given}, steps)
bodies = values | st.builds(
    lambda rest, listed, ladder: {"changes": listed, "buyers": ["USA"], "ladder": ladder} | rest,
    st.dictionaries(st.sampled_from([*Scenario.__struct_encode_fields__, "x/~y"]), values, max_size=2),
    st.lists(changes, max_size=3),
    steps,
)


def led_to(body: Any, pointer: str) -> Any:
    """What a JSON pointer leads to (RFC 6901)."""
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        body = body[int(name)] if isinstance(body, list) else body[name]
    return body


@given(bodies)
def test_the_pointer_leads_to_what_is_wrong_or_to_where_something_is_missing(body: Any) -> None:
    try:
        msgspec.convert(body, Scenario)
    except msgspec.ValidationError as error:
        fault = fault_of(error, Scenario, body)
        assert fault.pointer is not None
        if fault.detail == "is required":
            around, _, name = fault.pointer.rpartition("/")
            assert name not in led_to(body, around)
        else:
            led_to(body, fault.pointer)
