"""GeoPolRisk by its own library, geopolrisk-py 2.0.1, in an environment of the library's own.

Run by `tests.bench.bench_geopolrisk` with the names of materials, buyers and years as JSON on stdin; answers with JSON:
the results, the inputs they came from, and the seconds of loading, of the library's documented call, and in CPU time of
nothing but the calculations on what was loaded and prepared. The library is only called, as its documentation says.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from itertools import product
from typing import Any

asked = json.load(sys.stdin)
out = sys.stdout
sys.stdout = sys.stderr  # the library prints
begun = time.perf_counter()
from geopolrisk.assessment import core, utils  # noqa: E402
from geopolrisk.assessment.database import databases  # noqa: E402
from geopolrisk.assessment.main import gprs_calc  # noqa: E402

loading = time.perf_counter() - begun

begun = time.perf_counter()
table = gprs_calc(asked["years"], asked["buyers"], asked["materials"])
documented = time.perf_counter() - begun

logging.disable()
prepared = utils.mapped_baci()


def calculate() -> list[float]:
    """The scores alone, one for each year, buyer and material."""
    scores = []
    for year, buyer, material in product(asked["years"], asked["buyers"], asked["materials"]):
        members = databases.regionslist[buyer]
        numerator, total, price = core.aggregateTrade(year, members, material, prepared)
        found = [core.HHI(material, year, member) for member in members]
        scores.append(core.GeoPolRisk(numerator, total, price, sum(made for made, _ in found), found[0][1])[0])
    return scores


seconds = []
for _ in range(asked["rounds"]):
    begun = time.process_time()
    scores = calculate()
    seconds.append(time.process_time() - begun)


def records(frame: Any) -> list[list[Any]]:
    """The rows of a table as lists."""
    rows: list[list[Any]] = json.loads(frame.to_json(orient="values"))
    return rows


codes = {material: utils.Mapping()[material] for material in asked["materials"]}
every = {code for found in codes.values() for code in found}
trade = databases.baci_trade
trade = trade[trade["cmdCode"].astype(int).isin(every) & trade["period"].astype(int).isin(asked["years"])]
made = {}
for material in asked["materials"]:
    frame = utils.getProd(material).fillna(0)
    frame = frame[frame["Country_Code"] != "DELETE"]
    made[material] = records(frame[["Country_ISO", *map(str, asked["years"]), "unit"]])
json.dump(
    {
        "loading": loading,
        "documented": documented,
        "calculating": seconds,
        "scores": scores,
        "told": table["GeoPolRisk Score"].tolist(),
        "codes": codes,
        "trade": records(trade[["period", "reporterISO", "partnerISO", "cmdCode", "qty", "cifvalue", "partnerWGI"]]),
        "production": made,
    },
    out,
)
