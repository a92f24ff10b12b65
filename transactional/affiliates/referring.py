"""What checkout is told about who sent the buyer: kept beside the order, judged when the order is paid."""

import re
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.affiliates.models import OrderReferral

_VISITOR = re.compile(r"vis_[0-9a-z]{26}")
_CODE = re.compile(r"[0-9A-Z_-]{1,40}")


def bind_order(
    session: Session, *, order_id: int, visitor_id: str | None, referral_code: str | None, now: datetime
) -> None:
    """Remember the visitor and the code that came with an order; nothing is looked up, so checkout pays one write.

    What cannot be a visitor or a code is dropped: a stale cookie or a slip of the pen stops no order.
    """
    visitor = known_form(visitor_id)
    code = clean_code(referral_code)
    if visitor or code:
        session.add(OrderReferral(order_id=order_id, visitor_id=visitor, code=code, given_at=now))


def known_form(visitor_id: str | None) -> str | None:
    """A visitor's id, where it has the form of one."""
    return visitor_id if visitor_id and _VISITOR.fullmatch(visitor_id) else None


def clean_code(code: str | None) -> str | None:
    """A code as codes are stored, where it has the form of one."""
    clean = (code or "").strip().upper()
    return clean if _CODE.fullmatch(clean) else None
