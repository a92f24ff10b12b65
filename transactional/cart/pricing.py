"""What a basket costs, line by line: pure arithmetic over what catalogue, offers, points and shipping say.

Order of the rules: offers on goods, offers on the order, points on what these left, shipping by the goods' worth after
the offers, offers on the shipping. Every amount is frozen line by line; what is meant for the whole order is split over
the lines by integer largest remainder.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from transactional.catalog.service import InventoryPolicy
from transactional.core.money import allocate, contained_tax
from transactional.promotions.service import (
    Applied,
    Basket,
    DiscountClass,
    Offers,
    Outcome,
    Reason,
    Refused,
    min_spend_of,
    trace_of,
)
from transactional.shipping.service import ShippingQuote

QUOTE_HONOURED = timedelta(minutes=30)
"""How long a shopper may pay the price that was shown, although it rose meanwhile."""

TRACE_VERSION = 2
NO_OUTCOME = Outcome((), (), None)
_BEATEN = frozenset({Reason.BETTER_WITHOUT, Reason.NOTHING_LEFT, Reason.SAME_OFFER})
"""A code that gives nothing for one of these reasons takes nothing from the shopper: what applies is worth more."""


@dataclass(frozen=True, slots=True)
class BasketLine:
    """A line at the unit price that counts; prices in minor units, tax rate in basis points."""

    cart_line_id: int
    variant_id: int
    product_id: int
    sku: str
    title: str
    quantity: int
    unit_price_minor: int
    tax_rate_bp: int
    weight_grams: int
    inventory_policy: InventoryPolicy
    customisation: dict[str, Any]
    category_id: int | None = None

    @property
    def gross_minor(self) -> int:
        """Before every discount."""
        return self.unit_price_minor * self.quantity


@dataclass(frozen=True, slots=True)
class PointsPayment:
    """Points that pay a part of a basket."""

    points: int
    value_per_point_minor: int

    @property
    def amount_minor(self) -> int:
        """What they are worth."""
        return self.points * self.value_per_point_minor


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line with its share of everything. net = gross − line, order and points discount; tax is contained in net."""

    basket: BasketLine
    line_discount_minor: int
    order_discount_minor: int
    points_discount_minor: int
    net_minor: int
    tax_minor: int


@dataclass(frozen=True, slots=True)
class Issue:
    """Why a basket cannot be ordered as it stands; `facts` name the line and the figures."""

    kind: str
    """unavailable, price_changed, out_of_stock, coupon_refused or points_refused."""
    detail: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offered:
    """What the offers give on a basket. `basket` is what the engine judged; None where there was nothing to judge."""

    offers: Offers = field(default_factory=Offers)
    basket: Basket | None = None
    outcome: Outcome = NO_OUTCOME

    @property
    def issues(self) -> list[Issue]:
        """Codes that were entered and do not help: the shopper counts on them."""
        return [
            Issue("coupon_refused", f"{one.code}: {one.detail}", {"coupon_code": one.code, "reason": str(one.reason)})
            for one in self.outcome.refused
            if one.code is not None and not is_beaten(one)
        ]


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A basket's sums in minor units. total = gross − discount − points discount + shipping; tax is contained.

    `discount_minor` is what offers take off the goods; what they take off the shipping, `shipping_minor` lacks already.
    """

    currency: str
    lines: list[PricedLine]
    gross_minor: int
    discount_minor: int
    points_redeemed: int
    points_discount_minor: int
    shipping: ShippingQuote
    """The tariff's charge, before offers."""
    shipping_discount_minor: int
    tax_minor: int
    total_minor: int
    offered: Offered
    trace: dict[str, Any]
    issues: list[Issue]

    @property
    def shipping_minor(self) -> int:
        """What sending costs the shopper."""
        return self.shipping.amount_minor - self.shipping_discount_minor

    @property
    def coupon_code(self) -> str | None:
        """The first code that applied."""
        return next((one.code for one in self.offered.outcome.applied if one.code is not None), None)

    def demand(self) -> dict[int, int]:
        """Units per variant, summed over the lines."""
        wanted: dict[int, int] = {}
        for line in self.lines:
            wanted[line.basket.variant_id] = wanted.get(line.basket.variant_id, 0) + line.basket.quantity
        return wanted

    def policies(self) -> dict[int, InventoryPolicy]:
        """How each variant's stock may be promised."""
        return {line.basket.variant_id: line.basket.inventory_policy for line in self.lines}


def is_beaten(refused: Refused) -> bool:
    """Whether an offer is refused only because what applies is worth more."""
    return refused.reason in _BEATEN


def agreed_unit_price(*, quoted_minor: int, quoted_at: datetime, current_minor: int, now: datetime) -> int | None:
    """The unit price that the shopper pays: never more than shown to them.

    A lower price than quoted counts at once; a higher one does not for `QUOTE_HONOURED` after the quote. None where the
    quote has run out and the price rose: the shopper must agree to the new one first.
    """
    if current_minor <= quoted_minor:
        return current_minor
    return quoted_minor if now - quoted_at <= QUOTE_HONOURED else None


def price(
    lines: Sequence[BasketLine],
    *,
    currency: str,
    offered: Offered,
    points: PointsPayment,
    shipping: ShippingQuote,
    issues: Sequence[Issue] = (),
) -> PricedCart:
    """Put the parts together. Discounts and the points' worth must not exceed what they are taken from."""
    outcome = offered.outcome
    of_goods, of_order = outcome.by_line(DiscountClass.PRODUCT), outcome.by_line(DiscountClass.ORDER)
    discounts = [(of_goods.get(line.cart_line_id, 0), of_order.get(line.cart_line_id, 0)) for line in lines]
    left = [line.gross_minor - sum(both) for line, both in zip(lines, discounts, strict=True)]
    of_points = allocate(points.amount_minor, left)
    priced = [
        _priced_line(line, *both, points_share)
        for line, both, points_share in zip(lines, discounts, of_points, strict=True)
    ]
    gross = sum(line.gross_minor for line in lines)
    discount = gross - sum(left)
    shipping_discount = outcome.shipping_discount_minor
    return PricedCart(
        currency=currency,
        lines=priced,
        gross_minor=gross,
        discount_minor=discount,
        points_redeemed=points.points,
        points_discount_minor=points.amount_minor,
        shipping=shipping,
        shipping_discount_minor=shipping_discount,
        tax_minor=sum(line.tax_minor for line in priced),
        total_minor=gross - discount - points.amount_minor + shipping.amount_minor - shipping_discount,
        offered=offered,
        trace=_trace(priced, offered, points, shipping),
        issues=list(issues),
    )


def _priced_line(line: BasketLine, line_share: int, order_share: int, points_share: int) -> PricedLine:
    net = line.gross_minor - line_share - order_share - points_share
    return PricedLine(
        basket=line,
        line_discount_minor=line_share,
        order_discount_minor=order_share,
        points_discount_minor=points_share,
        net_minor=net,
        tax_minor=contained_tax(net, line.tax_rate_bp),
    )


def _trace(
    lines: Sequence[PricedLine], offered: Offered, points: PointsPayment, shipping: ShippingQuote
) -> dict[str, Any]:
    """Which rule gave which minor unit on which line (by position), and why the others gave nothing.

    The engine's own trace is part of it: from it and the stored versions the discounts are worked out again.
    """
    rules = [_offer_rule(one, offered, lines) for one in offered.outcome.applied]
    if points.points:
        rules.append(
            {
                "rule": "points",
                "points": points.points,
                "value_per_point_minor": points.value_per_point_minor,
                "amount_minor": -points.amount_minor,
                "lines": [-line.points_discount_minor for line in lines],
            }
        )
    rules.append({"rule": "shipping", "why": shipping.rule, "amount_minor": shipping.amount_minor})
    judged = {} if offered.basket is None else trace_of(offered.basket, _of_interest(offered.outcome))
    return {
        "version": TRACE_VERSION,
        "applied": [],
        "refused": [],
        "nearest": None,
        **judged,
        "rules": rules,
        "shipping": asdict(shipping),
    }


def _of_interest(outcome: Outcome) -> Outcome:
    """Without the automatic offers that were never for this shopper: they neither entered nor missed them."""
    told = tuple(one for one in outcome.refused if one.code is not None or one.reachable or is_beaten(one))
    return replace(outcome, refused=told)


def _offer_rule(one: Applied, offered: Offered, lines: Sequence[PricedLine]) -> dict[str, Any]:
    terms = offered.offers.by_key[one.offer_id, one.code]
    return {
        "rule": "offer" if one.code is None else "coupon",
        "code": one.code,
        "name": terms.name,
        "promotion_id": one.offer_id,
        "promotion_version": one.version,
        "discount_class": one.discount_class.value,
        "min_spend_minor": min_spend_of(terms.rule),
        "amount_minor": -one.amount_minor,
        "lines": [-sum(one.units.get(line.basket.cart_line_id, ())) for line in lines],
    }
