"""Alerts: one sink, a rotating file and, where configured, mail; the same alert is not repeated for six hours."""

import json
import smtplib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from filelock import FileLock

from pipelines import pointer
from pipelines.settings import Settings

REPEAT_AFTER = timedelta(hours=6)
ROTATE_BYTES = 1_000_000
RUNBOOK = "docs/architecture.md"


@dataclass(frozen=True, slots=True)
class Alert:
    """Something a person must know. Alerts with the same `key` are the same alert."""

    key: str
    title: str
    body: str


def send(settings: Settings, alert: Alert, *, now: datetime) -> bool:
    """Write the alert down and mail it; False where the same one went out within six hours."""
    settings.alerts.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(settings.alerts.with_suffix(".lock")):
        if _is_repeated(settings.alerts, alert, now):
            return False
        _rotate(settings.alerts)
        card = pointer.current(settings.published)
        entry = asdict(alert) | {
            "at": now.isoformat(),
            "runbook": RUNBOOK,
            "last_good_build": card.build_id if card else None,
        }
        with settings.alerts.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    if settings.smtp_url and settings.alert_to:
        _mail(settings.smtp_url, settings.alert_to, alert, entry["last_good_build"])
    return True


def _is_repeated(path: Path, alert: Alert, now: datetime) -> bool:
    if not path.exists():
        return False
    entries = (json.loads(line) for line in path.read_text("utf-8").splitlines() if line)
    return any(
        entry["key"] == alert.key and now - datetime.fromisoformat(entry["at"]) < REPEAT_AFTER for entry in entries
    )


def _rotate(path: Path) -> None:
    if path.exists() and path.stat().st_size > ROTATE_BYTES:
        path.replace(path.with_suffix(".1.jsonl"))


def _mail(smtp_url: str, to: str, alert: Alert, last_good: str | None) -> None:
    """`smtp://user:password@host:port` (STARTTLS where offered) or `smtps://…`."""
    url = urlsplit(smtp_url)
    message = EmailMessage()
    message["Subject"] = f"[My Little Things] {alert.title}"
    message["From"] = f"pipelines@{url.hostname}"
    message["To"] = to
    message.set_content(f"{alert.body}\n\nReaders stay on: {last_good or 'nothing yet'}\nRunbook: {RUNBOOK}\n")
    kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with kind(url.hostname or "localhost", url.port or 0, timeout=10) as server:
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)
