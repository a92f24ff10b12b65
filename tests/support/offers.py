"""Promotions for tests: any rule, running at once, with a code or without one."""

from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.promotions import service
from transactional.promotions.service import NewCode, PromotionStatus, Terms

_LIMITS_OF_CODES = {"usage_limit", "per_customer_limit", "overdraft_limit", "frees_on_full_refund"}


def rule(
    kind: str, discount_class: str = "order", *, conditions: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A rule: what is neither `priority` nor another word of rules is an argument of the action."""
    words = ("priority", "combines_with", "exclusive", "base", "max_per_class", "all_or_nothing", "currency")
    args = {name: value for name, value in more.items() if name not in words}
    return {
        "kind": kind,
        "args": args,
        "conditions": [{"kind": name, "args": given} for name, given in (conditions or {}).items()],
        "discount_class": discount_class,
        **{name: value for name, value in more.items() if name in words},
    }


def offer(kit: TradeKit, given: dict[str, Any], *, name: str = "Offer", **terms: Any) -> int:
    """An automatic offer that has begun; gives the promotion's id."""
    terms.setdefault("starts_at", kit.now - timedelta(days=1))
    return kit.run(lambda s: _running(s, kit, given, Terms(name=name, is_automatic=True, **terms)))


def code(kit: TradeKit, text: str, given: dict[str, Any], **terms: Any) -> int:
    """A promotion with one code, both running; limits are the code's. Gives the promotion's id."""
    limits = {name: terms.pop(name) for name in list(terms) if name in _LIMITS_OF_CODES}
    terms.setdefault("starts_at", kit.now - timedelta(days=1))

    new = NewCode(text, **limits)
    return kit.run(lambda s: _running(s, kit, given, Terms(name=text, **terms), new))


def draft(kit: TradeKit, given: dict[str, Any], **terms: Any) -> int:
    """A promotion that gives nothing yet."""
    terms.setdefault("starts_at", kit.now - timedelta(days=1))
    terms.setdefault("name", "Draft")
    return kit.run(lambda s: service.create_draft(s, terms=Terms(**terms), rule=given, actor="test", now=kit.now).id)


def move(kit: TradeKit, promotion_id: int, status: PromotionStatus) -> None:
    """Staff turn a knob."""
    kit.run(lambda s: service.move(s, promotion_id=promotion_id, status=status).id)


def _running(session: Session, kit: TradeKit, given: dict[str, Any], terms: Terms, code: NewCode | None = None) -> int:
    made = service.create_draft(session, terms=terms, rule=given, actor="test", now=kit.now)
    if code is not None:
        service.add_code(session, promotion=made, new=code)
    service.move(session, promotion_id=made.id, status=PromotionStatus.ACTIVE)
    return made.id
