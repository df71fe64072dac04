"""Looks for known weaknesses of locked requirements: python .ci/audit.py REQUIREMENTS REPORT

Exits with 1 where one is known. Where the service that knows them cannot be reached, or does not know a requirement,
that is said in capitals and is no failure: a build must not depend on somebody else's being up.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

UNREACHABLE = re.compile(r"requests\.exceptions\.|urllib3\.exceptions\.|Could not connect|timed out")
"""How the tool says that it could not ask."""


def main(requirements: str, report: str) -> int:
    """Audits a file of requirements into a report; the exit code."""
    path = Path(report)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    audit = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    command = [*audit, "--requirement", requirements, "--format", "json", "--output", report]
    done = subprocess.run(command, capture_output=True, text=True)
    if not path.exists():
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        if not UNREACHABLE.search(done.stderr):
            print(f"the audit failed: {last}", file=sys.stderr)
            return 1
        print(f"NOT AUDITED: the service that knows weaknesses could not be asked: {last}")
        return 0
    return told(json.loads(path.read_text())["dependencies"])


def told(dependencies: list[dict[str, object]]) -> int:
    """Prints what a report says of each requirement; 1 where a weakness is known."""
    skipped = [each for each in dependencies if "skip_reason" in each]
    weak = [each for each in dependencies if each.get("vulns")]
    if skipped:
        names = ", ".join(str(each["name"]) for each in skipped)
        print(f"NOT AUDITED: {len(skipped)} of {len(dependencies)} requirements, unknown to the service: {names}")
    for each in weak:
        for vulnerability in each["vulns"]:  # type: ignore[attr-defined]
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            print(f"WEAK: {each['name']} {each['version']}: {vulnerability['id']}, fixed in {fixed}")
    print(f"{len(dependencies) - len(skipped)} requirements audited, {len(weak)} with known weaknesses")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
