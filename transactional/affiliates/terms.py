"""The published text of a programme, made from the values that the code decides by, so that the two cannot differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from transactional.affiliates.models import ClickRule, Winner
from transactional.affiliates.rules import AttributionRule
from transactional.core.money import amount_text

_CLICK_RULES = {
    ClickRule.FIRST_CLICK: (
        "If a visitor followed links of several affiliates within that time, the first link counts, also for all"
        " later orders."
    ),
    ClickRule.LAST_CLICK: (
        "If a visitor followed links of several affiliates within that time, the last link counts; a link that is"
        " followed after an order takes the later orders over."
    ),
}

_WINNERS = {
    Winner.CODE: "If the buyer names an affiliate's code and came by another affiliate's link, the code wins.",
    Winner.CLICK: "If the buyer names an affiliate's code and came by another affiliate's link, the link wins.",
}


@dataclass(frozen=True, slots=True)
class NamedRate:
    """A rate and what it is for."""

    rate_bp: int
    category: str | None = None
    affiliate: str | None = None


@dataclass(frozen=True, slots=True)
class TermsValues:
    """Everything that the text states."""

    rule: AttributionRule
    rate_bp: int
    rates: Sequence[NamedRate]
    min_payout_minor: int
    return_window_days: int
    currency: str


def terms_text(values: TermsValues) -> list[str]:
    """The programme in sentences, in a fixed order."""
    return [*attribution_text(values.rule), *_commission_text(values), *_fixed_text()]


def attribution_text(rule: AttributionRule) -> list[str]:
    """The sentences that say whose an order is."""
    return [
        (
            f"A visitor who follows an affiliate's link and places an order within {rule.window_days} days is"
            " bound to the affiliate: later orders count as well, whenever they are placed."
        ),
        _CLICK_RULES[rule.click_rule],
        _WINNERS[rule.winner],
        (
            "A code counts for the order that names it and binds nobody. A coupon with the letters of an affiliate's"
            " code counts as that code."
        ),
        (
            "An order belongs to one affiliate at most. Where links of several programmes meet, the rules of the oldest"
            " programme among them decide."
        ),
    ]


def _commission_text(values: TermsValues) -> list[str]:
    rates = [
        f"{_percent(rate.rate_bp)} {_scope(rate)}"
        for rate in sorted(values.rates, key=lambda rate: (rate.affiliate or "", rate.category or ""))
    ]
    nearer = [f"Instead: {'; '.join(rates)}. The nearest rate counts, the affiliate's before the category's."]
    return [
        (
            f"Commission is {_percent(values.rate_bp)} of the net price of each unit, after discounts and points,"
            " rounded down. Shipping and wrapping earn nothing."
        ),
        *(nearer if rates else []),
        (
            f"Commission is approved when the return window of {values.return_window_days} days after delivery is over,"
            " and never paid before."
        ),
        f"Payouts start at {amount_text(values.min_payout_minor, values.currency)}; less is kept for the next payout.",
    ]


def _fixed_text() -> list[str]:
    return [
        (
            "Units that are cancelled, come back or are returned, and money that is refunded, take their commission"
            " back, unit by unit. What had been paid out by then is kept back from later commission."
        ),
        (
            "Nobody earns by buying for themselves: an order of the affiliate's own account, e-mail, phone or address"
            " earns nothing."
        ),
        "Orders that are placed or paid after an affiliate was deactivated earn nothing.",
    ]


def _percent(rate_bp: int) -> str:
    return f"{(Decimal(rate_bp) / 100).normalize():f} %"


def _scope(rate: NamedRate) -> str:
    parts = [f"on {rate.category}" if rate.category else "", f"for {rate.affiliate}" if rate.affiliate else ""]
    return " ".join(part for part in parts if part)
