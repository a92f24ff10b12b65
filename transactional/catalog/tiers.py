"""The gift tier: a price rule, which a person may overrule."""

from collections.abc import Mapping
from types import MappingProxyType

from transactional.catalog.models import GiftTier
from transactional.core.money import exponent

BY_RULE = "rule"
BY_ADMIN = "admin"

PREMIUM_FROM_MINOR: Mapping[str, int] = MappingProxyType(
    {"INR": 150_000, "GBP": 1_500, "EUR": 1_800, "USD": 2_000},
)
"""The price, in minor units, from which a gift is premium."""

_ELSEWHERE_MAJOR = 20
"""The threshold in major units of a currency that the table does not name."""


def tier_of_price(amount_minor: int, currency: str) -> GiftTier:
    """Premium from the currency's threshold on, budget below it."""
    default: int = _ELSEWHERE_MAJOR * 10 ** exponent(currency)
    threshold = PREMIUM_FROM_MINOR.get(currency, default)
    return GiftTier.PREMIUM if amount_minor >= threshold else GiftTier.BUDGET
