"""The one place where numbers are rounded, on their way out."""

from __future__ import annotations

import math
from typing import overload

POINTS = 1
"""Decimals of a score."""

SHARES = 6
"""Decimals of shares and partner factors: as many as the ledger keeps."""

WEIGHTS = 8
"""Decimals of governance weights and contributions: enough to recompute a printed score from what is printed."""


@overload
def points(value: float) -> float: ...
@overload
def points(value: None) -> None: ...
def points(value: float | None) -> float | None:
    """A score as it is printed."""
    return None if value is None else round(value, POINTS)


@overload
def share(value: float) -> float: ...
@overload
def share(value: None) -> None: ...
def share(value: float | None) -> float | None:
    """A fraction of output, or a partner factor, as it is printed."""
    return None if value is None else round(float(value), SHARES)


def weight(value: float) -> float:
    """A weight or contribution as it is printed."""
    return round(float(value), WEIGHTS)


MEASURES = 6
"""Decimals of values on the scales of other methods, and of the terms they are made of."""


@overload
def measure(value: float) -> float: ...
@overload
def measure(value: None) -> None: ...
def measure(value: float | None) -> float | None:
    """A method's value, or a term of it, as it is printed."""
    return None if value is None else round(float(value), MEASURES)


DIGITS = 3
"""Digits of a difference: as many as it takes to see it, however small it is."""


@overload
def seen(value: float) -> float: ...
@overload
def seen(value: None) -> None: ...
def seen(value: float | None) -> float | None:
    """A difference as it is printed: zero only where it is zero."""
    return None if value is None else _digits(value, DIGITS)


QUANTITY_DIGITS = 6
"""Digits of an amount that is worked out from a share: as many as the share has."""


@overload
def quantity(value: float) -> float: ...
@overload
def quantity(value: None) -> None: ...
def quantity(value: float | None) -> float | None:
    """An amount that no source prints."""
    return None if value is None else _digits(value, QUANTITY_DIGITS)


def _digits(value: float, digits: int) -> float:
    return round(value, digits - 1 - math.floor(math.log10(abs(value)))) if value else 0.0
