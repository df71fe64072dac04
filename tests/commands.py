"""What the long programs under tests/ have in common on the command line."""

from __future__ import annotations

import argparse
import sys


def takes_no_arguments(about: str | None) -> None:
    """Answers `--help` with what the program says of itself, and refuses everything else: settings are variables."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args(sys.argv[1:])
