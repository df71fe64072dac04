"""Moves the wall clock of every Python process that has this folder on its path.

By as many seconds as the file named by MOVED_CLOCK says, at any time; the monotonic clock stays what it is, as it does
where somebody sets a machine's clock.
"""

import datetime as dt
import os
import threading
import time
from pathlib import Path

import time_machine


def _follow(file: Path) -> None:
    traveller = time_machine.travel(dt.datetime.now(dt.UTC), tick=True).start()
    moved = 0.0
    while True:
        text = file.read_text(encoding="ascii")
        if text and float(text) != moved:
            traveller.shift(float(text) - moved)
            moved = float(text)
        time.sleep(0.02)


if "MOVED_CLOCK" in os.environ:
    threading.Thread(target=_follow, args=[Path(os.environ["MOVED_CLOCK"])], daemon=True).start()
