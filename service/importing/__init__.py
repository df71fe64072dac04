"""Bringing files into the ledger: one import is one transaction and one revision, wholly there or not at all."""

from service.importing.corrections import corrections
from service.importing.model import Findings, Moved, NotPossible, Outcome, Request
from service.importing.run import import_file, retract

__all__ = ["Findings", "Moved", "NotPossible", "Outcome", "Request", "corrections", "import_file", "retract"]
