"""The whole contract fuzzed for long: schemathesis against the running program, until that has answered FUZZ_CASES.

Run: make fuzz     (FUZZ_CASES, 50000; FUZZ_SEED, 1; FUZZ_HOME, .fuzz: where it is kept how far it has come)

It goes round by round, each with a seed of its own and on a fresh ledger with the shipped evidence: in turn anybody's
questions to every operation, and writes with a key that may make them. What the program counts as answered is what
counts. A run that was stopped goes on with the first round it had not finished; a changed contract begins anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec

from service.embedded import embedded
from service.migrate import migrate
from service.seeding import seed
from service.settings import Secret
from service.store import keys
from tests.commands import takes_no_arguments
from tests.serving import program

CASES = int(os.environ.get("FUZZ_CASES", "50000"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
HOME = Path(os.environ.get("FUZZ_HOME", ".fuzz"))
ROOT = Path(__file__).resolve().parent.parent
CONTRACT = ROOT / "schemas" / "openapi.json"
CONFIG, HOOKS = ROOT / "tests" / "schemathesis.toml", ROOT / "tests" / "schemathesis_hooks.py"
SECRET = "a secret that only this run knows of"  # noqa: S105
EXAMPLES = 150
"""Cases made up for each operation in a round, beside those that the contract's examples and bounds ask for."""

OPTIONS = (
    "--checks=all",
    "--continue-on-failure",
    "--suppress-health-check=all",
    "--max-response-time=30",
    "--no-color",
)
"""Seconds beyond which an answer is a failure are generous: the run shares its machine."""


class Round(msgspec.Struct):
    """One round that is over."""

    seed: int
    writes: bool
    cases: int
    failed: bool


class Progress(msgspec.Struct):
    """How far a run has come, and against which contract."""

    contract: str
    first_seed: int
    rounds: list[Round]

    @property
    def cases(self) -> int:
        """Requests answered so far."""
        return sum(each.cases for each in self.rounds)


def kept() -> Progress:
    """The progress of the run that was stopped, or none."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in (CONTRACT, CONFIG, HOOKS))).hexdigest()
    with contextlib.suppress(OSError, msgspec.DecodeError):
        found = msgspec.json.decode((HOME / "progress.json").read_bytes(), type=Progress)
        if (found.contract, found.first_seed) == (digest, SEED) and found.cases < CASES:
            return found
    return Progress(digest, SEED, [])


@contextlib.contextmanager
def server() -> Iterator[str]:
    """A Postgres of its own with a database `shipped` to copy; its URL."""
    with tempfile.TemporaryDirectory(prefix="chokepoint-fuzz-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        with embedded(folder / "home") as dsn:
            asyncio.run(_fill(dsn))
            yield dsn


async def _fill(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("create database shipped")
    await connection.close()
    await migrate(_database(dsn, "shipped"))
    await seed(_database(dsn, "shipped"))


async def _fresh(dsn: str) -> tuple[str, str]:
    """A fresh ledger with the shipped evidence, and a key that may write to it."""
    connection = await asyncpg.connect(dsn)
    await connection.execute("drop database if exists fuzzed")
    await connection.execute("create database fuzzed template shipped")
    await connection.close()
    ledger = _database(dsn, "fuzzed")
    connection = await asyncpg.connect(ledger)
    _, key = await keys.create(connection, Secret(SECRET.encode()), "fuzz", "write")
    await connection.close()
    return ledger, key


def _database(dsn: str, name: str) -> str:
    return urlsplit(dsn)._replace(path=f"/{name}").geturl()


def play(dsn: str, number: int) -> Round:
    """Plays one round: the even ones ask what anybody may, the odd ones write. The first two of them also ask what the
    contract's examples and bounds ask for, which is the same in every round."""
    writes, seed_number = number % 2 == 1, SEED + number
    ledger, key = asyncio.run(_fresh(dsn))
    phases = "examples,coverage,fuzzing,stateful" if number < 2 else "fuzzing,stateful"
    chosen = ["--include-method=POST", f"--header=Authorization: Bearer {key}"] if writes else []
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        *(f"--config-file={CONFIG}", "run", str(CONTRACT), *OPTIONS, *chosen, f"--phases={phases}"),
        *(f"--seed={seed_number}", f"--max-examples={EXAMPLES * (2 if writes else 1)}"),
    ]
    with program(ledger, secret=SECRET, rate_limit="1000000/1", log_level="critical") as (base, _):
        with (HOME / f"round-{number}.log").open("w") as log:
            outcome = subprocess.run([*command, f"--url={base}"], stdout=log, stderr=subprocess.STDOUT, check=False)
        return Round(seed_number, writes, answered(base), outcome.returncode != 0)


def answered(base: str) -> int:
    """The requests the program says it has answered."""
    with urllib.request.urlopen(f"{base}/metrics") as answer:  # noqa: S310 - our own server
        text = answer.read().decode()
    return sum(
        int(float(count)) for count in re.findall(r"^chokepoint_requests_total\{.*\} (\S+)$", text, re.MULTILINE)
    )


def main() -> None:
    """Plays rounds until there are enough cases. Exits with 1 where one has failed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is stopped
    HOME.mkdir(exist_ok=True)
    progress = kept()
    with server() as dsn:
        while progress.cases < CASES:
            number = len(progress.rounds)
            progress.rounds.append(play(dsn, number))
            (HOME / "progress.json").write_bytes(msgspec.json.encode(progress))
            last = progress.rounds[-1]
            told = f"failures, see {HOME}/round-{number}.log" if last.failed else "no failure"
            print(f"round {number}, seed {last.seed}: {last.cases:,} cases, {told}; {progress.cases:,} of {CASES:,}")
            sys.stdout.flush()
    failed = sum(each.failed for each in progress.rounds)
    print(f"{progress.cases:,} cases in {len(progress.rounds)} rounds from seed {SEED}; {failed} rounds with failures")
    sys.exit(failed > 0)


if __name__ == "__main__":
    takes_no_arguments(__doc__)
    main()
