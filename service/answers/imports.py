"""What an import came to, as the wire contract has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.imports import ImportReport, MovedScore, PassedOver, RowCounts
from service.answers.changes import revision_info
from service.answers.rounding import measure, points

if TYPE_CHECKING:
    from service.importing import Outcome
    from service.importing.model import Moved


def import_report(outcome: Outcome, *, dry_run: bool) -> ImportReport:
    """What was read, passed over and written, and for a dry run what would be and which scores would move."""
    return ImportReport(
        status="dry_run" if dry_run else "written" if outcome.revision else "unchanged",
        revision=revision_info(outcome.revision) if outcome.revision else None,
        rows=[
            RowCounts(kind=kind, read=read, added=outcome.added.get(kind, 0), changed=outcome.changed.get(kind, 0))
            for kind, read in outcome.findings.read.items()
        ],
        passed_over=[PassedOver(reason=reason, lines=lines) for reason, lines in outcome.findings.skipped.items()],
        moved=[_moved(moved) for moved in outcome.moved],
    )


def _moved(moved: Moved) -> MovedScore:
    before, after = moved.before, moved.after
    return MovedScore(
        mineral=moved.mineral,
        buyer=moved.buyer,
        before=points(before),
        after=points(after),
        difference=None if before is None or after is None else measure(after - before),
    )
