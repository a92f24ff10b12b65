"""What a shopper takes: the utility of every gift for this person now, and a draw among them.

The choice is a multinomial logit: utility plus Gumbel noise, the largest wins. So the probability of a gift is the
softmax of the utilities, and the true preference of a shopper is known exactly.
"""

import math
from collections.abc import Sequence
from random import Random

from transactional.simulation.gifts import GIFTS, Gift
from transactional.simulation.shoppers import Shopper

_FEAST_GOODS = {"diwali", "rakhi", "christmas"}
COMPANIONS = {
    "Rakhi": "Sweets and hampers",
    "Diwali": "Sweets and hampers",
    "Flowers and plants": "Stationery",
    "Jewellery": "Bags and wallets",
    "Photo gifts": "Stationery",
    "Candles and fragrance": "Wellness",
    "Mugs and drinkware": "Sweets and hampers",
    "Toys and children": "Photo gifts",
}
"""What goes with what: the category that a second gift of a basket likes to come from."""


class Tastes:
    """The catalogue as shoppers see it; `appeal` is what everybody likes about a gift, beyond personal taste."""

    def __init__(self, rng: Random, gifts: Sequence[Gift] = GIFTS) -> None:
        self.gifts = tuple(gifts)
        self.appeal = {gift.sku: rng.gauss(0.0, 0.6) for gift in self.gifts}
        self.quality = {gift.sku: min(4.9, max(2.4, rng.gauss(4.1, 0.5))) for gift in self.gifts}

    def preference(self, shopper: Shopper, gift: Gift) -> float:
        """How much this person likes a gift, whatever the day."""
        style = sum(shopper.styles[name] for name in gift.styles)
        dear = math.log(gift.price / shopper.budget)
        return (
            3.0 * style
            + 5.0 * shopper.categories[gift.category]
            + self.appeal[gift.sku]
            - shopper.price_sensitivity * (dear if dear > 0 else -0.35 * dear)
        )

    def utility(self, shopper: Shopper, gift: Gift, occasion: str | None) -> float:
        """The preference, on this day: what suits the occasion, and what was liked before."""
        value = self.preference(shopper, gift)
        if occasion in gift.occasions:
            value += 2.2
        elif occasion is not None:
            value -= 0.8
        if set(gift.occasions) <= _FEAST_GOODS and occasion not in gift.occasions:
            value -= 3.5  # nobody buys a rakhi in March
        if gift.sku in shopper.bought:
            value += shopper.repeat_habit
        return value

    def choose(
        self, rng: Random, shopper: Shopper, occasion: str | None, count: int, *, category: str | None = None
    ) -> list[Gift]:
        """`count` different gifts, best first, of one category if given."""
        pool = [gift for gift in self.gifts if category is None or gift.category == category]
        scored = [(self.utility(shopper, gift, occasion) + _gumbel(rng), gift.sku, gift) for gift in pool]
        scored.sort(key=lambda entry: (-entry[0], entry[1]))
        return [gift for _, _, gift in scored[:count]]

    def ranking(self, shopper: Shopper) -> list[tuple[str, float]]:
        """SKUs and true preferences, best first."""
        scores = [(gift.sku, round(self.preference(shopper, gift), 4)) for gift in self.gifts]
        return sorted(scores, key=lambda entry: (-entry[1], entry[0]))


def _gumbel(rng: Random) -> float:
    return -math.log(-math.log(max(rng.random(), 1e-12)))
