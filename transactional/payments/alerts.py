"""Telling somebody that money needs a look: a mail of the business transaction, once per cause."""

from datetime import datetime

from sqlalchemy.orm import Session

from transactional.core.mail import queue_mail
from transactional.settings import get_settings


def raise_alert(session: Session, *, cause: str, subject: str, body: str, now: datetime) -> bool:
    """Mail whoever the settings name; False when this `cause` was told before."""
    settings = get_settings()
    return queue_mail(
        session,
        to=settings.alert_to or settings.mail_from,
        subject=f"[{settings.shop_name}] {subject}",
        body=body,
        dedup_key=f"alert:{cause}",
        now=now,
    )
