"""The stand-in as a process."""

import os
import re
import signal
import socket
import subprocess
import sys
from argparse import ArgumentParser

import pytest
import requests

from transactional.commands import CommandError
from transactional.payments_standin import cli
from transactional.settings import Settings


def parsed(*arguments: str):
    parser = ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.slow
def test_it_serves_until_told_to_stop() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "transactional", "razorpay-standin", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MLT_RAZORPAY_KEY_ID": "rzp_test_other"},
    )
    try:
        assert process.stdout is not None
        url = re.search(r"http://\S+?(?=,)", process.stdout.readline())
        assert url is not None
        health = requests.get(f"{url[0]}/_control/health", timeout=10).json()
        assert health == {"status": "ok", "key_id": "rzp_test_other"}
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_a_taken_port_is_a_clear_message() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CommandError, match=f"cannot listen on 127.0.0.1:{port}"):
            cli.run(parsed("--port", str(port)))


def test_a_webhook_needs_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "get_settings", lambda: Settings(razorpay_webhook_secrets=[]))
    with pytest.raises(CommandError, match="MLT_RAZORPAY_WEBHOOK_SECRETS"):
        cli.run(parsed("--webhook-url", "http://127.0.0.1:8000/v1/webhooks/razorpay"))
