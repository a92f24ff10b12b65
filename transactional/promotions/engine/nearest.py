"""The automatic offer that a basket misses by least."""

from collections.abc import Iterable

from transactional.promotions.engine.conditions import Failure
from transactional.promotions.engine.facts import Basket, DiscountClass
from transactional.promotions.engine.outcome import Nearest
from transactional.promotions.engine.rule import Candidate


def nearest_offer(missed: Iterable[tuple[Candidate, Failure]], basket: Basket) -> Nearest | None:
    """Of offers that need no code and miss nothing but spend or units: the one with the smallest gap.

    Missing units count with the price of the cheapest unit in the basket. Equal gaps: the offer that ranks first. Free
    shipping is not offered to whom shipping costs nothing already.
    """
    if not basket.lines:
        return None
    unit = min(line.unit_price_minor for line in basket.lines)
    gaps = [
        (failure.missing.get("spend_minor", 0) + failure.missing.get("quantity", 0) * unit, place, candidate, failure)
        for place, (candidate, failure) in enumerate(missed)
        if candidate.code is None and not _pointless(candidate, basket)
    ]
    if not gaps:
        return None
    _, _, candidate, failure = min(gaps, key=lambda gap: gap[:2])
    return Nearest(
        offer_id=candidate.offer_id,
        version=candidate.version,
        discount_class=candidate.rule.discount_class,
        detail=f"{failure.detail} for {candidate.rule.action.words(basket.currency)}",
        missing=failure.missing,
    )


def _pointless(candidate: Candidate, basket: Basket) -> bool:
    return candidate.rule.discount_class is DiscountClass.SHIPPING and basket.shipping_minor == 0
