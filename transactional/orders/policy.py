"""What goes back with units that are given back, beside their own frozen price: pure rules, each with its reason.

The decision is stored with its reasons, so that it can be explained later, whatever the rules are by then.
"""

from dataclasses import dataclass

from transactional.orders.models import UnitMove


@dataclass(frozen=True, slots=True)
class Ruling:
    """An amount in minor units and the rule that gave it."""

    amount_minor: int
    rule: str


def shipping_refund(
    kind: UnitMove, *, charged_minor: int, nothing_kept: bool, anything_sent: bool, nothing_paid: bool, ours: bool
) -> Ruling:
    """How much of the charges for shipping and wrapping goes back; the last units of an order decide.

    `ours`: the reason lies with the shop or its carrier. `nothing_paid`: of an order on delivery that never arrived.
    """
    if not charged_minor:
        return Ruling(0, "nothing was charged for shipping")
    if not nothing_kept:
        return Ruling(0, "a part of the order is kept")
    if kind is UnitMove.CANCELLED and not anything_sent:
        return Ruling(charged_minor, "nothing was ever sent")
    if nothing_paid:
        return Ruling(charged_minor, "nothing arrived and nothing was paid: nothing stays billed")
    if ours:
        return Ruling(charged_minor, "nothing is kept, and the reason lies with the shop")
    return Ruling(0, "the parcel travelled: the service was rendered")


def coupon_withheld(
    *,
    min_spend_minor: int,
    kept_gross_minor: int,
    kept_discount_minor: int,
    withheld_before_minor: int,
    units_minor: int,
    ours: bool,
) -> Ruling:
    """How much more of a coupon's discount is withheld now that fewer units are kept; negative pays some back.

    A coupon with a minimum is not earned by a basket below it: the discount on the kept units is withheld from the
    refund, never more than the refund has. What was withheld is paid out again with the last units, so that a full
    return gives back all that was paid. Where the reason lies with the shop, nothing more is withheld.
    """
    earned = kept_gross_minor >= min_spend_minor
    target = 0 if earned else kept_discount_minor
    if ours:
        target = min(target, withheld_before_minor)
    after = min(target, withheld_before_minor + units_minor)
    change = after - withheld_before_minor
    if change == 0 and (earned or not kept_discount_minor):
        return Ruling(0, "the kept units earn their discount" if earned else "no discount lies on kept units")
    if change == 0 and ours:
        return Ruling(0, "the minimum is missed for a reason that lies with the shop: the discount stays")
    return Ruling(change, f"kept goods of {kept_gross_minor} against a minimum of {min_spend_minor}")
