"""Mail behind the outbox topic `mail.send`: a file on a desk, SMTP in production."""

import hashlib
import smtplib
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.uow import Database
from transactional.settings import Settings, get_settings

TOPIC = "mail.send"
_SMTP_TIMEOUT_SECONDS = 20


class Transport(Protocol):
    """Whatever carries a message away."""

    def send(self, message: EmailMessage) -> None:
        """Hand the message over, or raise."""
        ...


class FileTransport:
    """Writes each message as `<message id>.eml`; a repeated message lands in the same file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def send(self, message: EmailMessage) -> None:
        """Write the message."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = str(message["Message-ID"]).strip("<>").partition("@")[0]
        (self._folder / f"{name}.eml").write_bytes(message.as_bytes())


class SmtpTransport:
    """Sends over SMTP: `smtp://user:password@host:587` (STARTTLS with a user) or `smtps://…:465`."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in {"smtp", "smtps"} or not self._url.hostname:
            raise ValueError("MLT_SMTP_URL must look like smtp://user:password@host:587")

    def send(self, message: EmailMessage) -> None:
        """Send the message."""
        secure = self._url.scheme == "smtps"
        client = smtplib.SMTP_SSL if secure else smtplib.SMTP
        port = self._url.port or (465 if secure else 25)
        with client(self._url.hostname or "", port, timeout=_SMTP_TIMEOUT_SECONDS) as smtp:
            if self._url.username:
                if not secure:
                    smtp.starttls()
                smtp.login(unquote(self._url.username), unquote(self._url.password or ""))
            smtp.send_message(message)


def transport_of(settings: Settings) -> Transport:
    """The transport that the settings name; ValueError for one that does not exist."""
    if settings.mail_transport == "file":
        return FileTransport(settings.var / "mail")
    if settings.mail_transport == "smtp" and settings.smtp_url is not None:
        return SmtpTransport(settings.smtp_url.get_secret_value())
    raise ValueError("MLT_MAIL_TRANSPORT is `file`, or `smtp` together with MLT_SMTP_URL")


def queue_mail(session: Session, *, to: str, subject: str, body: str, dedup_key: str, now: datetime) -> bool:
    """Send a mail after the commit; False when this `dedup_key` was queued before."""
    payload = {"to": to, "subject": subject, "body": body, "key": dedup_key, "at": now.isoformat()}
    return outbox.publish(session, TOPIC, payload, dedup_key=f"mail:{dedup_key}", now=now)


def compose(payload: dict[str, Any], *, sender: str) -> EmailMessage:
    """The message of an outbox payload; its id follows from the key, so that a repetition can be recognised."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = _one_line(payload["to"])
    message["Subject"] = _one_line(payload["subject"])
    message["Date"] = format_datetime(datetime.fromisoformat(payload["at"]))
    digest = hashlib.sha256(payload["key"].encode()).hexdigest()[:32]
    message["Message-ID"] = f"<{digest}@{sender.rpartition('@')[2]}>"
    message.set_content(payload["body"], cte="quoted-printable")  # plain ASCII on the way, whatever the server can do
    return message


def _one_line(value: str) -> str:
    # A line break in a header would let the text write headers of its own.
    return " ".join(value.split())


@outbox.handles(TOPIC)
def send_mail(_database: Database, payload: dict[str, Any]) -> None:
    """Send one queued mail. At least once: a crash after the hand-over repeats it under the same message id."""
    settings = get_settings()
    transport_of(settings).send(compose(payload, sender=settings.mail_from))
