"""The load that judges the tests of faults: it finds nothing where nothing is broken, and what is broken it finds."""

from __future__ import annotations

from tests.faults.checked import Load, serving


def test_a_healthy_service_keeps_its_promises(served: str, reference: str) -> None:
    """Among them that what is written is seen on every connection at once."""
    with serving(served) as server, Load(server) as load:
        with load.fault("nothing"):
            load.run(1)
    report = load.verified(served, reference)
    print(report)
    assert report.sound(), report
