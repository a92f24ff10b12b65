"""What loyalty, promotions and affiliates leave in `raw`, beside the trade of `raw_shop`.

Points with every fate, offers with uses, people in both arms of a hold-out, commission in every state, invitations.
"""

from datetime import timedelta

from tests.dbt.raw_shop import START, RawShop

OFFER, FREE_SHIPPING = 1, 2
DIWALI, SINGLE_USE = 1, 2
AFFILIATE = 1


def set_up_marketing(shop: RawShop) -> None:
    """The programme, the offers, an affiliate and somebody with an invitation; nobody has used any of it."""
    shop.put("loyalty_programmes", 1, version=1, value_per_point_minor=100, expiry_days=365)
    shop.put("promotions", OFFER, name="Five off", version=1, kind="fixed", discount_class="order", status="active",
             holdout_bp=2000)  # fmt: skip
    shop.put("promotions", FREE_SHIPPING, name="Free shipping", version=1, kind="free_shipping", is_automatic=True,
             discount_class="shipping", status="active", usage_limit=100)  # fmt: skip
    shop.put("coupon_batches", 1, promotion_id=OFFER, name="Fair", quantity=1)
    shop.put("coupon_codes", DIWALI, promotion_id=OFFER, code="DIWALI")
    shop.put("coupon_codes", SINGLE_USE, promotion_id=OFFER, batch_id=1, code="F1", usage_limit=1)
    shop.put("affiliates", AFFILIATE, public_id="af_1", customer_id=7, status="active")
    shop.put("referral_terms", 1, version=1, reward="points", referrer_points=100, referred_points=50)
    shop.put("referral_invites", 1, customer_id=8, code="FROM-8")
    for customer in (3, 4):
        shop.put("loyalty_tier_periods", customer, customer_id=customer, tier="Bronze", starts_at=START, reason="start")
    shop.put("loyalty_tier_periods", 30, customer_id=3, tier="Silver", rank=1, starts_at=START + timedelta(days=50),
             reason="upgrade")  # fmt: skip


def use_marketing(shop: RawShop) -> None:
    """Everything that was set up is used; then the counters and balances are brought to what the rows say."""
    _offers(shop)
    _points(shop)
    _commission(shop)
    count_marketing(shop)


def _offers(shop: RawShop) -> None:
    discounted = shop.select("SELECT id, status, placed_at FROM raw.orders WHERE discount_minor > 0 ORDER BY id")
    for position, (order, status, placed) in enumerate(discounted):
        code = SINGLE_USE if position == 0 else DIWALI
        state = "released" if status in {"expired", "cancelled"} else "redeemed"
        shop.put("order_discounts", order, order_id=order, order_line_id=order * 10, promotion_id=OFFER, version=1,
                 code_id=code, discount_class="order", amount_minor=500)  # fmt: skip
        shop.put("coupon_redemptions", order, code_id=code, promotion_id=OFFER, order_id=order, discount_minor=500,
                 identity_key=f"p{order}", state=state, reserved_at=placed)  # fmt: skip
    ((first, placed),) = shop.select("SELECT min(id), min(placed_at) FROM raw.orders WHERE discount_minor > 0")
    shop.put("order_discounts", 1, order_id=first, promotion_id=FREE_SHIPPING, version=1, discount_class="shipping",
             amount_minor=4900)  # fmt: skip
    shop.put("coupon_redemptions", 1, promotion_id=FREE_SHIPPING, order_id=first, discount_minor=4900, state="redeemed",
             identity_key="p", reserved_at=placed)  # fmt: skip
    for order in range(1, 81):
        shop.put("promotion_exposures", order, promotion_id=OFFER, version=1, person_hash=f"person-{order % 70}",
                 arm="held_out" if order % 70 < 35 else "treated", order_id=order, at=START)  # fmt: skip


def _points(shop: RawShop) -> None:
    """Customer 3 spends, sends back and owes; customer 4 lets given points expire."""
    _lot(shop, 9001, 3, 100, born=10, active=24, left=0, state="reversed")
    _entry(shop, 9010, 3, "hold", -60, day=30, takes={9001: 60}, wallet=None)
    _entry(shop, 9011, 3, "capture", 0, day=30, takes={}, wallet=None)
    _entry(shop, 9012, 3, "reverse", -100, day=40, takes={9001: 40}, lot_id=9001)
    _lot(shop, 9002, 3, 30, born=50, active=64, left=0, state="reversed")
    _take(shop, 9012, 9002, 30, day=64)
    _lot(shop, 9003, 3, 20, born=70, active=None, left=20, state="pending")
    _lot(shop, 9004, 4, 100, born=5, active=5, left=0, state="expired", wallet="promotional", lives=90)
    _entry(shop, 9013, 4, "expire", -100, day=96, takes={9004: 100}, lot_id=9004, wallet="promotional")


def _lot(
    shop: RawShop, lot: int, customer: int, amount: int, *, born: int, active: int | None, left: int, state: str,
    wallet: str = "earned", lives: int = 365,
) -> None:  # fmt: skip
    """A lot with its `earn` and, where it had to wait, its `activate`; days count from the start."""
    earned = START + timedelta(days=born)
    shop.put("point_lots", lot, customer_id=customer, programme_id=1, wallet=wallet, source="order", state=state,
             amount=amount, remaining=left, earned_at=earned, expires_at=earned + timedelta(days=lives),
             available_at=None if active is None else START + timedelta(days=active))  # fmt: skip
    shop.put("point_entries", lot, customer_id=customer, lot_id=lot, kind="earn", points=amount, wallet=wallet,
             occurred_at=earned)  # fmt: skip
    if active is not None and active > born:
        shop.put("point_entries", lot + 500, customer_id=customer, lot_id=lot, kind="activate", points=0, wallet=wallet,
                 occurred_at=START + timedelta(days=active))  # fmt: skip


def _entry(
    shop: RawShop, entry: int, customer: int, kind: str, points: int, *, day: int, takes: dict[int, int],
    lot_id: int | None = None, wallet: str | None = "earned",
) -> None:  # fmt: skip
    shop.put("point_entries", entry, customer_id=customer, lot_id=lot_id, kind=kind, points=points, wallet=wallet,
             actor="customer:3", occurred_at=START + timedelta(days=day))  # fmt: skip
    for lot, amount in takes.items():
        _take(shop, entry, lot, amount, day=day)


def _take(shop: RawShop, entry: int, lot: int, points: int, *, day: int) -> None:
    shop.put("point_consumptions", lot * 10_000 + entry, lot_id=lot, entry_id=entry, amount=points,
             occurred_at=START + timedelta(days=day))  # fmt: skip


def _commission(shop: RawShop) -> None:
    """One credited order with approved and paid commission, one refused; an invitation that was taken up."""
    paid = [row[0] for row in shop.select(
        "SELECT id FROM raw.orders WHERE paid_at IS NOT NULL AND NOT is_test ORDER BY id LIMIT 3"
    )]  # fmt: skip
    for click in range(1, 6):
        shop.put("affiliate_clicks", click, affiliate_id=AFFILIATE, link_id=1, consent=click > 1, clicked_at=START,
                 visitor_id=f"v{click % 2}" if click > 1 else None)  # fmt: skip
    for number, order in enumerate(paid[:2]):
        shop.put("order_attributions", order, order_id=order, affiliate_id=AFFILIATE, decided_by="click",
                 outcome="refused" if number else "credited", reason="same_email" if number else None)  # fmt: skip
    shop.put("commission_lots", 1, affiliate_id=AFFILIATE, attribution_id=paid[0], order_id=paid[0], currency="INR",
             order_line_id=paid[0] * 10, state="paid", amount_minor=1000, paid_minor=600, reversed_minor=400,
             net_minor=10_000, rate_bp=1000, quantity=1)  # fmt: skip
    for entry, (kind, pending, payable) in enumerate(
        [("earn", 1000, 0), ("approve", -1000, 1000), ("reverse", 0, -400), ("pay", 0, -600)], start=1
    ):
        shop.put("commission_entries", entry, affiliate_id=AFFILIATE, lot_id=1, kind=kind, currency="INR",
                 pending_minor=pending, payable_minor=payable, payout_id=1 if kind == "pay" else None)  # fmt: skip
    shop.put("commission_balances", 1, affiliate_id=AFFILIATE, currency="INR", approved_minor=1000, reversed_minor=400,
             paid_minor=600)  # fmt: skip
    shop.put("referrals", 1, invite_id=1, terms_id=1, order_id=paid[2], customer_id=9, identity_key="nine",
             state="granted", granted_at=START)  # fmt: skip


def count_marketing(shop: RawShop) -> None:
    """Bring counters and balances to what the rows say, as the shop's conditional writes do."""
    live = "SELECT count(*) FROM raw.coupon_redemptions WHERE state <> 'released'"
    for (code,) in shop.select("SELECT id FROM raw.coupon_codes"):
        ((used,),) = shop.select(f"{live} AND code_id = {code}")
        shop.change("coupon_codes", code, used=used)
    for (promotion,) in shop.select("SELECT id FROM raw.promotions WHERE usage_limit IS NOT NULL"):
        ((used,),) = shop.select(f"{live} AND promotion_id = {promotion}")
        shop.change("promotions", promotion, used=used)
    shop.count_the_points()
