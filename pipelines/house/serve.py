"""`make serve`: shop, payment stand-in, serving, dashboards and Dagster, started and stopped together."""

import json
import os
import secrets
import signal
import subprocess
import threading
from pathlib import Path

from pipelines.headless import prepare_home
from pipelines.house.processes import Server, StepFailedError, announce, running
from pipelines.settings import from_environment

_WATCH_SECONDS = 0.5


def servers(var: Path) -> list[Server]:
    """What `make serve` starts, with the ports that the documentation names."""
    webhooks = {"MLT_RAZORPAY_WEBHOOK_SECRETS": os.environ.get("MLT_RAZORPAY_WEBHOOK_SECRETS") or _new_secret()}
    bank, shop = "http://127.0.0.1:8010", "http://127.0.0.1:8000"
    hook = f"{shop}/v1/webhooks/razorpay"
    books = (var / "razorpay-standin.json").resolve()
    return [
        Server(
            "razorpay-standin",
            # What was paid yesterday must still be known today, or the books would differ from the gateway's.
            ["transactional", "razorpay-standin", "--port", "8010", "--webhook-url", hook, "--books", str(books)],
            f"{bank}/_control/health",
            env=webhooks,
        ),
        Server("shop", ["transactional", "serve", "--port", "8000"], f"{shop}/health", env=webhooks),
        Server("serving", ["serving", "serve", "--port", "8001"], "http://127.0.0.1:8001/health"),
        Server("dashboards", ["dashboards", "serve", "--port", "8501"], "http://127.0.0.1:8501/_stcore/health"),
        Server(
            "dagster",
            ["dagster", "dev", "-m", "pipelines.definitions", "--host", "127.0.0.1", "--port", "3000"],
            "http://127.0.0.1:3000/server_info",
            env={"DAGSTER_HOME": str(var / "dagster")},
        ),
    ]


def _new_secret() -> str:
    # Shop and stand-in are started together and share it; nobody else needs to know it.
    return json.dumps([secrets.token_urlsafe(32)])


def serve(var: Path) -> int:
    """Start everything, say where it is, and stop it all on Ctrl-C or when one of the servers ends."""
    prepare_home(from_environment())
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    announce("Starting the shop, serving, dashboards and Dagster …")
    started = servers(var)
    try:
        with running(started, log_folder=var / "logs", patience=120) as processes:
            announce(
                "\n  Shop (API)    http://127.0.0.1:8000/docs"
                "\n  Serving       http://127.0.0.1:8001/docs"
                "\n  Dashboards    http://127.0.0.1:8501"
                "\n  Dagster       http://127.0.0.1:3000"
                f"\n\nLogs are in {var / 'logs'}. Ctrl-C stops everything."
            )
            while not stopped.wait(_WATCH_SECONDS):
                _raise_if_ended(started, processes, var)
    except StepFailedError as error:
        announce(str(error))
        return 1
    announce("Stopped.")
    return 0


def _raise_if_ended(started: list[Server], processes: list[subprocess.Popen[bytes]], var: Path) -> None:
    for server, process in zip(started, processes, strict=True):
        if process.poll() is not None:
            raise StepFailedError(
                f"{server.name} ended with {process.returncode}; see {var / 'logs' / server.name}.log"
            )
