"""Whether somebody reads a DuckDB file: an open reader holds a shared record lock on it."""

import fcntl
import os
import struct
from pathlib import Path

_FLOCK = "hhqqi4x"
"""`struct flock` on 64-bit Linux: type, whence, start, length, process."""


def is_read(path: Path) -> bool:
    """Whether another process has the file open in DuckDB. Only asks for the lock, never takes it."""
    if not path.exists():
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        question = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(descriptor, fcntl.F_GETLK, question)
        return bool(struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK)
    finally:
        os.close(descriptor)
