"""Works a score out again from its explanation, with nothing but Python's own library.

    curl -s 'http://127.0.0.1:8000/v1/minerals/cobalt/score/explain?buyer=USA' | python tests/verification/recompute.py

It uses what the explanation says of the world (shares, governance estimates, dates and clauses of agreements and
restrictions, members of blocs) and the method's constants, and none of what the service concluded from them. It prints
each stage's H and the score, as recomputed and as told, and ends with exit code 1 where they differ.
"""

from __future__ import annotations

import json
import math
import sys
from calendar import monthrange
from datetime import date
from pathlib import Path
from typing import Any

Document = dict[str, Any]


def settled(printed: str) -> date:
    """An event counts from the last day of the period its source states."""
    year, month, day = ([int(part) for part in printed.split("-")] + [0, 0])[:3]
    return date(year, month or 12, day or monthrange(year, month or 12)[1])


class Recomputation:
    """A score worked out again from an explanation."""

    def __init__(self, document: Document) -> None:
        self.told = document
        self.rules = document["rules"]
        self.on = date.fromisoformat(document["as_of"])
        self.members = {bloc["bloc"]: set(bloc["members"]) for bloc in document["blocs"]}
        self.tau = {step["step"]: step["central"] for step in self.rules["ties"]}
        self.order = list(self.tau)
        self.g = {entry["country"]: self.governance(entry) for entry in document["governance"]["countries"]}
        self.stages = [self.stage(stage) for stage in document["stages"]]
        scored = [stage for stage in self.stages if stage["score"] is not None]
        self.binding = max(scored, key=lambda stage: stage["score"], default=None)
        self.score = self.binding and self.binding["score"]

    @property
    def band(self) -> str | None:
        """The first band that ends above the score."""
        if self.score is None:
            return None
        return next(b["band"] for b in self.rules["bands"] if b["below"] is None or self.score < b["below"])

    def happened(self, printed: str | None) -> bool:
        return printed is not None and settled(printed) <= self.on

    def expand(self, party: str) -> set[str]:
        return self.members.get(party, {party})

    def governance(self, entry: Document) -> float | None:
        """g = W / 10, W = 2 · (2.5 − mean), over the years that have all six estimates."""
        years: dict[int, list[float]] = {}
        for indicator in entry["indicators"]:
            years.setdefault(indicator["year"], []).append(indicator["estimate"])
        means = [math.fsum(six) / 6 for six in years.values() if len(six) == 6]
        return 2 * (self.rules["governance_bound"] - math.fsum(means) / len(means)) / 10 if means else None

    def stage(self, stage: Document) -> Document:
        """H and score of a stage, and t and contribution of each supplier."""
        rows = self.chosen(stage["share_sets"])
        parts = {row["country"]: row["share"] for row in rows if row["share"] is not None}
        factors = {country: self.partner_factor(country, stage["stage"]) for country in parts}
        known = {country: share for country, share in parts.items() if self.g[country] is not None}
        contributions = {c: share**2 * (self.g[c] or 0) * factors[c] for c, share in known.items()}
        h = math.fsum(contributions.values())
        rounding = len(rows) * 0.5 * 10 ** -self.rules["share_digits"]
        enough = math.fsum(known.values()) >= self.rules["sufficient_share"] - rounding and any(parts.values())
        score = 100 * min(1.0, math.sqrt(h)) if enough else None
        return {"stage": stage["stage"], "h": h, "score": score, "t": factors, "contributions": contributions}

    def chosen(self, sets: list[Document]) -> list[Document]:
        """The rows of the newest set that names enough, else of the one that names most."""
        published = {source["id"]: source["published"] or source["retrieved"] for source in self.told["sources"]}

        def named(candidate: Document) -> float:
            return math.fsum(row["share"] or 0 for row in candidate["rows"])

        def speaks(candidate: Document) -> bool:
            end = candidate["period_end"]
            return self.happened(published[candidate["source"]] if end is None else str(end))

        def newest(candidate: Document) -> tuple[int, int, str]:
            return -(candidate["period_end"] or 0), candidate["precedence"], candidate["source"]

        speaking = [candidate for candidate in sets if speaks(candidate)]
        full = [candidate for candidate in speaking if named(candidate) >= self.rules["full_share"]]
        if full:
            return list(min(full, key=newest)["rows"])
        most = min(speaking, key=lambda candidate: (-named(candidate), newest(candidate)), default=None)
        return list(most["rows"]) if most else []

    def partner_factor(self, supplier: str, stage: str) -> float:
        """t = τ · (1 + (r − 1) · (1 − ρ)), the weakest tie and strongest restriction of all readers."""
        readers = self.told["readers"]
        if supplier in readers:
            return self.tau["home"]
        ties = [self.tie(supplier, reader, stage) for reader in readers]
        restrictions = [self.restriction(supplier, reader, stage) for reader in readers]
        tau = max(self.tau[tie] for tie in ties)
        r = max(strength for strength, _ in restrictions)
        rho = all(
            self.relieved(supplier, reader, stage, kind)
            for reader, (_, kind) in zip(readers, restrictions, strict=True)
        )
        return tau * (1 + (r - 1) * (1 - rho))

    def tie(self, supplier: str, reader: str, stage: str) -> str:
        """The best tie between two countries."""
        found = [tier for _, tier in self.agreements(supplier, reader, stage)] + ["none"]
        markets = (b for b in self.told["blocs"] if b["type"] in ("single_market", "customs_union"))
        if any({supplier, reader} <= set(market["members"]) for market in markets):
            found.append("single_market")
        return min(found, key=lambda tier: (self.tau[tier], self.order.index(tier)))

    def agreements(self, supplier: str, reader: str, stage: str) -> list[tuple[Document, str]]:
        """The agreements between two countries that cover the mineral and stage, and what each amounts to."""
        return [
            (agreement, tier)
            for agreement in self.told["agreements"]
            if supplier in self.reached(agreement["parties"], reader) - {reader}
            and reader in agreement["covers_mineral_for"]
            and (not agreement["stages"] or stage in agreement["stages"])
            and (tier := self.tier(agreement)) != "none"
        ]

    def reached(self, parties: list[str], reader: str) -> set[str]:
        """The countries that come in through another party than the reader."""
        own = [party for party in parties if party == reader or reader in self.expand(party)]
        others = [p for p in parties if p != own[0]] if len(own) == 1 and len(parties) > 1 else parties
        return set().union(*(self.expand(party) for party in others)) if own else set()

    def tier(self, agreement: Document) -> str:
        """The step of the ladder an agreement amounts to on the day."""
        in_force = self.happened(agreement["in_force"])
        stands = in_force or self.happened(agreement["signed"])
        paused = self.happened(agreement["suspended"]) and not self.happened(agreement["resumed"])
        if not stands or paused or self.happened(agreement["ended"]) or agreement["type"] == "relief":
            return "none"
        if agreement["binding"] == "yes":
            return "binding" if in_force else "binding_signed"
        weak = {"memorandum": "memorandum", "letter_of_intent": "memorandum"}
        return (weak | {"joint_statement": "forum", "forum": "forum"}).get(agreement["type"], "programme")

    def restriction(self, supplier: str, reader: str, stage: str) -> tuple[float, str]:
        """The strongest restriction of a supplier that hits a reader: r and its type; 1 and nothing without one."""
        steps = {step["step"]: step["central"] for step in self.rules["restrictions"]}
        found = [
            (row["factor"] or steps[row["type"]], row["type"])
            for row in self.told["restrictions"]
            if row["country"] == supplier
            and stage in row["stages"]
            and self.happened(row["valid_from"])
            and not self.happened(row["valid_to"])
            and not (self.happened(row["suspended"]) and not self.happened(row["resumed"]))
            and (not row["targets"] or any(reader == t or reader in self.expand(t) for t in row["targets"]))
        ]
        return max(found, key=lambda each: each[0], default=(1.0, ""))

    def relieved(self, supplier: str, reader: str, stage: str, kind: str) -> bool:
        """Whether a binding clause of a binding agreement in force forbids the supplier that type of restriction."""
        return any(
            clause["binding"] == "yes"
            and clause["covers_mineral"]
            and any(supplier in self.expand(party) for party in clause["obliges"] or agreement["parties"])
            and (not clause["forbids"] or kind in clause["forbids"])
            for agreement, tier in self.agreements(supplier, reader, stage)
            if tier == "binding"
            for clause in agreement["clauses"]
        )

    def differences(self) -> list[str]:
        """Where the explanation's own results are not those worked out here."""
        pairs: list[tuple[str, Any, Any]] = [
            ("score", self.told["score"], self.score),
            ("band", self.told["band"], self.band),
        ]
        pairs.append(("binding stage", self.told["binding_stage"], self.binding and self.binding["stage"]))
        for told, here in zip(self.told["stages"], self.stages, strict=True):
            stage = here["stage"]
            pairs += [(f"{stage} H", told["h"] or 0.0, here["h"]), (f"{stage} score", told["score"], here["score"])]
            for row in told["suppliers"]:
                country = row["country"]
                if row["share"] is not None:
                    pairs.append((f"{stage} g {country}", row["g"], self.g[country]))
                    pairs.append((f"{stage} t {country}", row["t"], here["t"][country]))
                    part = here["contributions"].get(country, 0.0)
                    pairs.append((f"{stage} contribution {country}", row["contribution"], part))
        return [f"{name}: told {told}, recomputed {here}" for name, told, here in pairs if not _same(told, here)]


def _same(told: Any, here: Any) -> bool:
    if isinstance(told, float) and isinstance(here, float):
        return math.isclose(told, here, rel_tol=1e-9, abs_tol=1e-12)
    return bool(told == here)


def main() -> int:
    """Reads an explanation from the file named, or from stdin."""
    text = Path(sys.argv[1]).read_text(encoding="utf-8") if len(sys.argv) > 1 else sys.stdin.read()
    found = Recomputation(json.loads(text))
    for told, here in zip(found.told["stages"], found.stages, strict=True):
        print(f"{here['stage']}: H = {here['h']:.9f}, told {told['h'] or 0:.9f}")
    print(f"score = {found.score}, told {found.told['score']}")
    print(*found.differences(), sep="\n", end="")
    return 1 if found.differences() else 0


if __name__ == "__main__":
    sys.exit(main())
