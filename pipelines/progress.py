"""Progress that a person can follow: one line a step on standard error, so that standard output stays for results."""

import sys
import time

_STARTED = time.monotonic()


def say(stage: str, message: str) -> None:
    """One line: seconds since the process began, the stage, what happened."""
    sys.stderr.write(f"{time.monotonic() - _STARTED:6.1f} s  {stage:<9} {message}\n")
    sys.stderr.flush()
