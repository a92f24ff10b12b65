"""`make serve`: shop, stand-ins of bank and carrier, serving, dashboards, Dagster, started and stopped together."""

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
_PARCEL_STEP_SECONDS = 20
"""A parcel that is watched from a desk is at the door within minutes."""


def servers(var: Path) -> list[Server]:
    """What `make serve` starts, with the ports that the documentation names."""
    bank, carrier, shop = "http://127.0.0.1:8010", "http://127.0.0.1:8020", "http://127.0.0.1:8000"
    desk = _desk_settings()
    return [
        Server(
            "razorpay-standin",
            ["transactional", "razorpay-standin", "--port", "8010", "--webhook-url", f"{shop}/v1/webhooks/razorpay"],
            f"{bank}/_control/health",
            env=desk,
        ),
        Server(
            "shiprocket-standin",
            [
                *("transactional", "shiprocket-standin", "--port", "8020"),
                *("--webhook-url", f"{shop}/v1/hooks/parcels", "--pace", str(_PARCEL_STEP_SECONDS)),
            ],
            f"{carrier}/_control/health",
            env=desk,
        ),
        Server("shop", ["transactional", "serve", "--port", "8000"], f"{shop}/health", env=desk),
        Server("serving", ["serving", "serve", "--port", "8001"], "http://127.0.0.1:8001/health"),
        Server("dashboards", ["dashboards", "serve", "--port", "8501"], "http://127.0.0.1:8501/_stcore/health"),
        Server(
            "dagster",
            ["dagster", "dev", "-m", "pipelines.definitions", "--host", "127.0.0.1", "--port", "3000"],
            "http://127.0.0.1:3000/server_info",
            env={"DAGSTER_HOME": str(var / "dagster")},
        ),
    ]


def _desk_settings() -> dict[str, str]:
    """What shop and stand-ins must agree on: theirs alone, made anew at each start, unless the environment says so."""
    made = {
        "MLT_RAZORPAY_WEBHOOK_SECRETS": json.dumps([secrets.token_urlsafe(32)]),
        "MLT_SHIPROCKET_EMAIL": "api@shop.example",
        "MLT_SHIPROCKET_PASSWORD": secrets.token_urlsafe(32),
        "MLT_PARCEL_WEBHOOK_TOKEN": secrets.token_urlsafe(32),
    }
    return {name: os.environ.get(name) or value for name, value in made.items()}


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
                "\n\n  Stand-ins     bank http://127.0.0.1:8010, carrier http://127.0.0.1:8020 (control: /_control/)"
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
