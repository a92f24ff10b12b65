"""What a basket costs, line by line: pure arithmetic over what catalogue, coupons, points and shipping say.

Order of the rules: coupon on the merchandise, points on what the coupon left, shipping by merchandise after the coupon.
Each order-level amount is split over the lines by integer largest remainder, so that it is frozen line by line.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from transactional.catalog.service import InventoryPolicy
from transactional.core.money import allocate, contained_tax
from transactional.promotions.service import CouponResult
from transactional.shipping.service import ShippingQuote

QUOTE_HONOURED = timedelta(minutes=30)
"""How long a shopper may pay the price that was shown, although it rose meanwhile."""


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
    """A line with its share of everything. net = gross − order discount − points discount; tax is contained in net."""

    basket: BasketLine
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
class PricedCart:
    """A basket's sums in minor units. total = gross − discount − points discount + shipping; tax is contained."""

    currency: str
    lines: list[PricedLine]
    gross_minor: int
    discount_minor: int
    points_redeemed: int
    points_discount_minor: int
    shipping: ShippingQuote
    tax_minor: int
    total_minor: int
    coupon: CouponResult | None
    trace: dict[str, Any]
    issues: list[Issue]

    @property
    def shipping_minor(self) -> int:
        """What sending costs."""
        return self.shipping.amount_minor

    def demand(self) -> dict[int, int]:
        """Units per variant, summed over the lines."""
        wanted: dict[int, int] = {}
        for line in self.lines:
            wanted[line.basket.variant_id] = wanted.get(line.basket.variant_id, 0) + line.basket.quantity
        return wanted

    def policies(self) -> dict[int, InventoryPolicy]:
        """How each variant's stock may be promised."""
        return {line.basket.variant_id: line.basket.inventory_policy for line in self.lines}


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
    coupon: CouponResult | None,
    points: PointsPayment,
    shipping: ShippingQuote,
    issues: Sequence[Issue] = (),
) -> PricedCart:
    """Put the parts together. The coupon's discount and the points' worth must not exceed what they are taken from."""
    gross = [line.gross_minor for line in lines]
    discount = coupon.discount_minor if coupon else 0
    of_coupon = allocate(discount, gross)
    left = [amount - share for amount, share in zip(gross, of_coupon, strict=True)]
    of_points = allocate(points.amount_minor, left)
    priced = [
        _priced_line(line, coupon_share, points_share)
        for line, coupon_share, points_share in zip(lines, of_coupon, of_points, strict=True)
    ]
    return PricedCart(
        currency=currency,
        lines=priced,
        gross_minor=sum(gross),
        discount_minor=discount,
        points_redeemed=points.points,
        points_discount_minor=points.amount_minor,
        shipping=shipping,
        tax_minor=sum(line.tax_minor for line in priced),
        total_minor=sum(gross) - discount - points.amount_minor + shipping.amount_minor,
        coupon=coupon,
        trace=_trace(priced, coupon, points, shipping),
        issues=list(issues),
    )


def _priced_line(line: BasketLine, coupon_share: int, points_share: int) -> PricedLine:
    net = line.gross_minor - coupon_share - points_share
    return PricedLine(
        basket=line,
        order_discount_minor=coupon_share,
        points_discount_minor=points_share,
        net_minor=net,
        tax_minor=contained_tax(net, line.tax_rate_bp),
    )


def _trace(
    lines: Sequence[PricedLine], coupon: CouponResult | None, points: PointsPayment, shipping: ShippingQuote
) -> dict[str, Any]:
    """Which rule gave which minor unit on which line (by position), and why a code gave nothing."""
    rules: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    if coupon is not None and coupon.applies:
        rules.append(
            {
                "rule": "coupon",
                "code": coupon.code,
                "promotion_id": coupon.promotion_id,
                "promotion_version": coupon.promotion_version,
                "percent_bp": coupon.percent_bp,
                "amount_minor": -coupon.discount_minor,
                "lines": [-line.order_discount_minor for line in lines],
            }
        )
    elif coupon is not None:
        refused.append({"code": coupon.code, "reason": coupon.reason})
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
    return {"version": 1, "rules": rules, "refused": refused, "shipping": asdict(shipping)}
