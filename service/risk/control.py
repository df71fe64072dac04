"""Who commands output: a host's share re-attributed to those who control its capacity.

    s'_c = Σ_h s_h · f_hc

s_h   host h's share of world output (0..1)
f_hc  the part of h's capacity that c controls (0..1). What nobody is named for is the host's own: f_hh counts at least
      1 − Σ f_hc. Where the parts named sum to more than 1 (rounding, overlapping stakes) they are divided by their sum

The total stays what it was. Ownership studies do this for mines (cobalt of 2016: China 2 % of output by territory and
14 % by control, Gulley and others 2019). It is a second lens, never a correction: output still stands where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from service.risk.numbers import number


def parts_of(host: str, named: Mapping[str, float]) -> dict[str, float]:
    """How a host's capacity splits by controller, from the parts (0..1) named; they sum to 1."""
    checked = {controller: number("a part of capacity", part, 0, 1) for controller, part in named.items()}
    total = max(1.0, sum(checked.values()))
    parts = {controller: part / total for controller, part in checked.items()}
    parts[host] = parts.get(host, 0.0) + max(0.0, 1.0 - sum(checked.values()))
    return {controller: part for controller, part in parts.items() if part > 0}


def by_control(shares: Mapping[str, float], control: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Whose each share is: for every controller what it holds in which host, as fractions of world output.

    `shares` are by host, `control` the named parts by host and controller; a host not in it controls its own.
    """
    held: dict[str, dict[str, float]] = {}
    for host, share in shares.items():
        for controller, part in parts_of(host, control.get(host, {})).items():
            held.setdefault(controller, {})[host] = share * part
    return held


def available(
    shares: Mapping[str, float], committed: Mapping[str, Mapping[str, float]], buyers: frozenset[str]
) -> float:
    """The part of the named output that is not committed to others than `buyers`.

    `committed` are the parts of each host's output that are committed, by host and whom they are committed to.
    """
    free = 0.0
    for host, share in shares.items():
        others = sum(part for taker, part in committed.get(host, {}).items() if taker not in buyers)
        free += share * max(0.0, 1.0 - others)
    return free
