"""Alerts are written once, and mailed where a server is named."""

import json
import socketserver
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.alerts import Alert, send
from pipelines.settings import Settings

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
FAILED = Alert("run:1", "refresh failed", "Prüfung: −5 ₹")


def _entries(settings: Settings) -> list[dict[str, object]]:
    return [json.loads(line) for line in settings.alerts.read_text("utf-8").splitlines()]


def test_the_same_alert_is_told_once_in_six_hours(tmp_path: Path) -> None:
    settings = Settings(tmp_path, "sqlite://")
    assert send(settings, FAILED, now=NOW)
    assert not send(settings, FAILED, now=NOW + timedelta(hours=5))
    assert send(settings, Alert("run:2", "refresh failed", "again"), now=NOW + timedelta(hours=5))
    assert send(settings, FAILED, now=NOW + timedelta(hours=6))
    assert [entry["key"] for entry in _entries(settings)] == ["run:1", "run:2", "run:1"]
    assert _entries(settings)[0]["last_good_build"] is None
    assert _entries(settings)[0]["body"] == "Prüfung: −5 ₹"


def test_the_file_is_rotated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.alerts.ROTATE_BYTES", 10)
    settings = Settings(tmp_path, "sqlite://")
    send(settings, FAILED, now=NOW)
    send(settings, Alert("run:2", "t", "b"), now=NOW)
    assert [entry["key"] for entry in _entries(settings)] == ["run:2"]
    assert settings.alerts.with_suffix(".1.jsonl").exists()


class _Mailbox(socketserver.StreamRequestHandler):
    """Enough of SMTP (RFC 5321) for one message."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        body = False
        for line in self.rfile:
            if body:
                self.server.received.append(line)  # type: ignore[attr-defined]
                if line == b".\r\n":
                    body = False
                    self.wfile.write(b"250 ok\r\n")
                continue
            verb = line[:4].upper()
            body = verb == b"DATA"
            self.wfile.write({b"DATA": b"354 go\r\n", b"QUIT": b"221 bye\r\n"}.get(verb, b"250 ok\r\n"))
            if verb == b"QUIT":
                return


@pytest.fixture
def mailbox() -> Iterator[socketserver.ThreadingTCPServer]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Mailbox) as server:
        server.received = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()


def test_an_alert_reaches_a_mailbox(tmp_path: Path, mailbox: socketserver.ThreadingTCPServer) -> None:
    url = f"smtp://127.0.0.1:{mailbox.server_address[1]}"
    settings = Settings(tmp_path, "sqlite://", smtp_url=url, alert_to="owner@localhost")
    send(settings, FAILED, now=NOW)
    message = b"".join(mailbox.received)  # type: ignore[attr-defined]
    assert b"Subject: [My Little Things] refresh failed" in message
    assert b"To: owner@localhost" in message
    assert b"Readers stay on: nothing yet" in message
