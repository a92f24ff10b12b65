"""Reasons in words."""

from __future__ import annotations

from models_ml.recommend.protocol import Reason, ReasonKind


def sentence(reason: Reason, name: str) -> str:
    """One English sentence without a full stop; `name` is the product that the reason points to."""
    what = f"“{name}”" if name else "something in your history"
    match reason.kind:
        case ReasonKind.BECAUSE_YOU_BOUGHT:
            return f"Because you bought {what}"
        case ReasonKind.BOUGHT_TOGETHER:
            with_what = f"“{name}”" if name else "this"
            return f"In {reason.count} of {reason.total} orders with {with_what}"
        case ReasonKind.BOUGHT_BEFORE:
            return _bought_before(reason)
        case ReasonKind.SIMILAR:
            return f"Similar to “{name}”" if name else "Similar to this"
        case ReasonKind.BEST_SELLER:
            return f"Best seller: {reason.count} orders in the last {reason.days} days"
        case ReasonKind.RISING:
            return f"Rising: {reason.count} orders in the last {reason.days} days, more than usual"
        case ReasonKind.POPULAR:
            return f"Popular now: {reason.count} customers in the last {reason.days} days"


def _bought_before(reason: Reason) -> str:
    times = "once" if reason.count == 1 else f"{reason.count} times"
    last = "" if reason.last_at is None else f", last on {reason.last_at:%d %B %Y}"
    return f"You bought it {times}{last}"
