"""An import from beginning to end: the request made out, the file read and staged, one revision written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from msgspec import structs

from service.importing.batches import Batch, Progress, Reading, first_line, sha256
from service.importing.effects import moved_by
from service.importing.known import Known
from service.importing.model import Findings, Moved, NotPossible, Outcome, Request
from service.intake import baci
from service.intake.files import opened
from service.intake.formats import FORMATS, Context, Edition, Format
from service.intake.names import closest, fold
from service.intake.problems import Problem, Unreadable
from service.intake.tables import decode
from service.store import reading
from service.store.ledger import Contradiction, Draft, File, Revision, revise

if TYPE_CHECKING:
    from service.store.ledger import Connection


async def import_file(connection: Connection, request: Request, progress: Progress = lambda _: None) -> Outcome:
    """Imports a file, or tells what is wrong with it. The ledger has all of it afterwards or nothing.

    Raises NotPossible for a request that cannot be begun, and LedgerError where the ledger has changed meanwhile so far
    that the file does not fit it any more.
    """
    wanted = _format(request.format)
    try:
        told = wanted.tell(await asyncio.to_thread(first_line, request.path))
    except Unreadable as unreadable:
        return Outcome(findings=_only(structs.replace(unreadable.problem, line=1)))
    known = await Known.read(connection, request.corrections)
    source, newest = _source(wanted, told, request, known)
    _check(request, known)
    numbers = await asyncio.to_thread(_numbers, request)
    context = Context(known.names, source, numbers, known.tariff_lines)
    file = File(request.name, await asyncio.to_thread(sha256, request.path))
    read = Reading(request.path, told, context, known, newest)
    reason = request.reason or f"import of {request.format}"
    try:
        async with revise(connection, author=request.author, reason=reason, file=file, dry=request.dry_run) as draft:
            await _stage(draft, read.batches(progress))
            if read.findings.count:
                return Outcome(findings=read.findings)
            await draft.refuse_overfull()
            await draft.observe_staged()
            changed = await draft.replaced()
            moved = await _moved(connection, draft, request)
    except Contradiction as contradiction:
        _tell(contradiction, read.findings)
        return Outcome(findings=read.findings)
    revision = draft.revision
    added = {kind: count - changed[kind] for kind, count in revision.rows.items()} if revision else {}
    return Outcome(findings=read.findings, revision=revision, added=added, changed=changed, moved=moved)


async def retract(connection: Connection, number: int, *, author: str, reason: str) -> Revision | None:
    """Takes back what a revision wrote, in a newer one; None where nothing of it stands any more.

    Raises LookupError where there is no such revision, and LedgerError where newer evidence refers to it.
    """
    if await reading.revision(connection, number) is None:
        raise LookupError(f"the ledger has no revision {number}")
    async with revise(connection, author=author, reason=reason) as draft:
        await draft.retract_revision(number)
    return draft.revision


async def _stage(draft: Draft, batches: Iterator[Batch]) -> None:
    """Copies the batches next to the ledger; they are read in a thread, so that whoever else is served is not kept."""
    while (batch := await asyncio.to_thread(next, batches, None)) is not None:
        await draft.stage(batch.kind, batch.records, lined=True)


async def _moved(connection: Connection, draft: Draft, request: Request) -> list[Moved]:
    if not request.dry_run or not draft.rows:
        return []
    await draft.check_references()
    return await moved_by(connection, draft, request.buyers)


def _tell(contradiction: Contradiction, findings: Findings) -> None:
    """Takes down the rows that contradict each other or a rule of the ledger, each as a problem at its line."""
    for key, lines in contradiction.places:
        also = f", also on line {', '.join(map(str, lines[1:]))}" if lines[1:] else ""
        said = ", ".join(str(value) for value in key.values() if value is not None)
        findings.add(Problem(min(lines, default=1), "", f"{said}{also}", f"no {contradiction.rule}"))


def _only(problem: Problem) -> Findings:
    findings = Findings()
    findings.add(problem)
    return findings


def _format(name: str) -> Format:
    if name not in FORMATS:
        raise NotPossible(
            "format", f"there is no format {name!r}; {closest(name, {fold(each): each for each in FORMATS})}"
        )
    return FORMATS[name]


def _source(wanted: Format, told: Edition, request: Request, known: Known) -> tuple[str, int | None]:
    """The source to cite and the last year it can speak of, None if that cannot be told. Raises NotPossible."""
    edition = request.edition or told.edition
    if wanted.publication is None and request.edition:
        raise NotPossible("edition", "a form has no editions: it names its sources itself")
    if wanted.editions and edition not in wanted.editions:
        raise NotPossible("edition", f"{wanted.id} is known of edition {', '.join(wanted.editions)} only")
    if edition and not edition.isdecimal():
        raise NotPossible("edition", f"{edition!r} is no edition: a year is")
    source = request.source
    if source is None and wanted.publication is not None:
        if edition is None:
            raise NotPossible("edition", f"the file does not say which edition of {wanted.publication} it is; name it")
        source = f"{wanted.publication}-{edition}"
    if source and source not in known.ids["source"]:
        near = closest(source, {fold(each): each for each in known.ids["source"]})
        raise NotPossible("source", f"the ledger has no source {source!r}; {near}; a new one comes in by form:source")
    return source or "", int(edition) - 1 if edition and request.source is None else None


def _check(request: Request, known: Known) -> None:
    """Refuses corrections and buyers that mean nothing the ledger has."""
    for printed, meant in request.corrections.items():
        if meant not in known.ids["country"] | known.ids["mineral"]:
            raise NotPossible("map", f"{printed!r} cannot mean {meant!r}: no country's code or mineral's id is that")
    for buyer in request.buyers:
        if request.dry_run and buyer not in known.ids["country"] | known.ids["bloc"]:
            raise NotPossible("buyers", f"{buyer!r} is no country's code or bloc's id")


def _numbers(request: Request) -> dict[str, str]:
    if request.codes is None:
        return {}
    try:
        with opened(request.codes) as (file, _):
            return baci.countries(decode(file, baci.ENCODING))
    except Unreadable as unreadable:
        raise NotPossible("codes", f"the file of country codes: {unreadable}") from unreadable
