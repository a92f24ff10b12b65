"""Reasons in words."""

from __future__ import annotations

from models_ml.recommend.protocol import Reason, ReasonKind


def sentence(reason: Reason, name: str) -> str:
    """One English sentence without a full stop; `name` is the product that the reason points to."""
    if reason.kind is ReasonKind.POPULAR and reason.days is None:
        return f"Bought by {reason.count} customer{'' if reason.count == 1 else 's'} so far"
    if reason.kind is ReasonKind.BOUGHT_BEFORE:
        return _bought_before(reason)
    known, unknown = _WORDS[reason.kind]
    words = known if name else unknown
    s = "" if reason.count == 1 else "s"
    return words.format(name=name, count=reason.count, total=reason.total, days=reason.days, s=s)


# With and without the name of the product that the reason points to.
_WORDS = {
    ReasonKind.BECAUSE_YOU_BOUGHT: (
        "Because you bought “{name}”",
        "Because of something you bought",
    ),
    ReasonKind.BOUGHT_TOGETHER: (
        "In {count} of {total} orders with “{name}”",
        "In {count} of {total} orders with this",
    ),
    ReasonKind.SIMILAR: ("Similar to “{name}”", "Similar to this"),
    ReasonKind.BEST_SELLER: ("Best seller: {count} order{s} in the last {days} days",) * 2,
    ReasonKind.RISING: ("Rising: {count} order{s} in the last {days} days, more than usual",) * 2,
    ReasonKind.SEASON: ("Popular at this time last year: {count} customer{s}",) * 2,
    ReasonKind.POPULAR: ("Popular now: {count} customer{s} in the last {days} days",) * 2,
}


def _bought_before(reason: Reason) -> str:
    times = "once" if reason.count == 1 else f"{reason.count} times"
    last = "" if reason.last_at is None else f", last on {reason.last_at:%d %B %Y}"
    return f"You bought it {times}{last}"
