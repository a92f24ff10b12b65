"""Mail: composed safely, written to a file or spoken over SMTP."""

import email
import email.policy
import socketserver
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from transactional.core import outbox
from transactional.core.mail import FileTransport, SmtpTransport, compose, queue_mail, transport_of
from transactional.core.uow import Database
from transactional.settings import Settings, get_settings

PAYLOAD = {
    "to": "asha@example.com",
    "subject": "Your order has shipped – आशा",
    "body": "Hello आशा,\n\nit is on its way.\n",
    "key": "shipped:12",
    "at": "2026-01-15T10:00:00+00:00",
}


def read(path: Path) -> EmailMessage:
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_message_survives_the_file(tmp_path: Path) -> None:
    transport = FileTransport(tmp_path / "mail")
    transport.send(compose(PAYLOAD, sender="shop@example.com"))
    transport.send(compose(PAYLOAD, sender="shop@example.com"))  # a repetition is the same file
    (path,) = (tmp_path / "mail").iterdir()
    message = read(path)
    assert message["Subject"] == PAYLOAD["subject"]
    assert (message["To"], message["From"]) == ("asha@example.com", "shop@example.com")
    assert message.get_content() == PAYLOAD["body"]


def test_a_line_break_cannot_write_headers() -> None:
    evil = PAYLOAD | {"subject": "Hello\r\nBcc: everybody@example.com", "to": "a@example.com\nBcc: b@example.com"}
    message = compose(evil, sender="shop@example.com")
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: everybody@example.com"


def test_other_keys_are_other_messages() -> None:
    one = compose(PAYLOAD, sender="shop@example.com")
    other = compose(PAYLOAD | {"key": "shipped:13"}, sender="shop@example.com")
    assert one["Message-ID"] != other["Message-ID"]


def test_queued_mail_goes_out_through_the_outbox(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLT_VAR", str(tmp_path))
    get_settings.cache_clear()
    now = database.clock.now()
    with database.unit_of_work(actor="test") as session:
        for _ in range(2):
            queue_mail(session, to="asha@example.com", subject="Hi", body="Hello", dedup_key="hi:1", now=now)
    outbox.drain(database)
    get_settings.cache_clear()
    (path,) = (tmp_path / "mail").glob("*.eml")
    assert read(path)["Subject"] == "Hi"


@pytest.mark.parametrize(
    ("transport", "url"), [("pigeon", None), ("smtp", None), ("smtp", "http://example.com"), ("smtp", "smtp://")]
)
def test_settings_that_name_no_transport_are_refused(tmp_path: Path, transport: str, url: Any) -> None:
    with pytest.raises(ValueError, match="MLT_"):
        transport_of(Settings(var=tmp_path, mail_transport=transport, smtp_url=url))


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server that speaks just enough SMTP to take a message."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.received: list[str] = []


class Conversation(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.say("220 mailbox")
        for line in self.rfile:
            command = line.decode().strip().upper()
            if command == "DATA":
                self.say("354 go on")
                self.server.received.append(self.read_message())
                self.say("250 taken")
            elif command == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def read_message(self) -> str:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.decode())
        return "".join(lines)

    def say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_message_goes_over_smtp(mailbox: Mailbox) -> None:
    port = mailbox.server_address[1]
    SmtpTransport(f"smtp://127.0.0.1:{port}").send(compose(PAYLOAD, sender="shop@example.com"))
    (text,) = mailbox.received
    received = email.message_from_string(text, policy=email.policy.default)
    assert received["Subject"] == PAYLOAD["subject"]
    assert received.get_content().replace("\r\n", "\n") == PAYLOAD["body"]  # type: ignore[attr-defined]
