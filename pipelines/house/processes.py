"""Child processes: commands that must succeed, and servers that are waited for and stopped together."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_POLL_SECONDS = 0.2


class StepFailedError(RuntimeError):
    """A command of the house ended with an error; its own words are in the message."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server to start: `python -m <module…>`, and the address that answers once it is ready."""

    name: str
    command: Sequence[str]
    ready_url: str
    env: Mapping[str, str] | None = None


def run_step(title: str, arguments: Sequence[str], *, quiet: bool = False) -> str:
    """Run `python -m …`, its progress on standard error; gives its standard output.

    Raises StepFailedError with the end of what the command said.
    """
    if not quiet:
        announce(title)
    started = time.monotonic()
    done = subprocess.run(  # noqa: S603  our own modules
        [sys.executable, "-m", *arguments], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-20:])
        raise StepFailedError(f"{title}: `python -m {' '.join(arguments)}` ended with {done.returncode}\n{tail}")
    if not quiet:
        announce(f"  done in {time.monotonic() - started:.1f} s")
    return done.stdout


def announce(message: str) -> None:
    """One line of progress, on standard error so that standard output stays for results."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    servers: Sequence[Server], *, log_folder: Path, patience: float = 60.0
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start servers, wait until each answers, and stop them all when the block ends, however it ends.

    Raises StepFailedError when one exits or stays silent longer than `patience` seconds; its log lies in `log_folder`.
    """
    log_folder.mkdir(parents=True, exist_ok=True)
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for server in servers:
            with (log_folder / f"{server.name}.log").open("ab") as log:
                processes.append(
                    subprocess.Popen(  # noqa: S603  our own modules
                        [sys.executable, "-m", *server.command],
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        env={**os.environ, **(server.env or {})},
                    )
                )
        for server, process in zip(servers, processes, strict=True):
            _wait_until_ready(server, process, log_folder, patience)
        yield processes
    finally:
        stop(processes)


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ask every process to end, and end those that do not within ten seconds."""
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(server: Server, process: subprocess.Popen[bytes], log_folder: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log = log_folder / f"{server.name}.log"
            raise StepFailedError(f"{server.name} ended with {process.returncode}; its last words are in {log}")
        try:
            if httpx.get(server.ready_url, timeout=2.0).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(_POLL_SECONDS)
    raise StepFailedError(f"{server.name} did not answer at {server.ready_url} within {patience:.0f} s")
