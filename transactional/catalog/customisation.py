"""What a shopper may have put on a gift, and whose word makes it wait for an approval."""

import json
from collections.abc import Mapping
from typing import Any

from transactional.catalog.pricing import SellableVariant
from transactional.core.errors import InvalidInput

NEEDS_APPROVAL = "needs_approval"
"""The mark in a customisation that says: made only after the customer has agreed to the design."""

_MAX_BYTES = 8_192


def checked_customisation(variant: SellableVariant, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """What was chosen for a variant, with the mark wherever the product asks for approval.

    A shopper may ask to see a design first, but cannot talk the shop out of showing it. Raises InvalidInput where the
    variant cannot be customised, or as `canonical_customisation` does.
    """
    if chosen and not variant.customisable:
        raise InvalidInput(f"{variant.sku} cannot be customised", field="customisation")
    customisation = dict(chosen)
    if customisation and variant.needs_approval:
        customisation[NEEDS_APPROVAL] = True
    canonical_customisation(customisation)
    return customisation


def canonical_customisation(customisation: Mapping[str, Any]) -> bytes:
    """The one spelling of a customisation as JSON. Raises InvalidInput where it is no plain JSON or too large."""
    try:
        canonical = json.dumps(
            customisation, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()
    except (TypeError, ValueError) as error:  # UnicodeEncodeError (a lone surrogate) is a ValueError
        raise InvalidInput("a customisation is plain JSON text", field="customisation") from error
    if len(canonical) > _MAX_BYTES:
        raise InvalidInput(f"a customisation has at most {_MAX_BYTES} bytes", field="customisation")
    if rb"\u0000" in canonical:
        raise InvalidInput("a customisation contains no NUL character", field="customisation")
    return canonical
