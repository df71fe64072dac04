"""The scoring methods, one file each; a module's docstring is the method's public documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from inspect import getdoc
from types import ModuleType

from service.risk.methods import available_to_market, eu_crm, geopolrisk, hhi, n_minus_one, partner_adjusted


@dataclass(frozen=True)
class Method:
    """A method as the world sees it: a stable id, a version that rises with every change of its numbers, and words."""

    id: str
    version: int
    title: str
    docs: str

    @classmethod
    def of(cls, module: ModuleType) -> Method:
        """The method a module defines by its ID, VERSION, TITLE and docstring."""
        return cls(module.ID, module.VERSION, module.TITLE, getdoc(module) or "")


_MODULES = (partner_adjusted, eu_crm, geopolrisk, hhi, n_minus_one, available_to_market)

METHODS: Mapping[str, Method] = {method.id: method for method in map(Method.of, _MODULES)}
"""Every method by its id, the default first."""
