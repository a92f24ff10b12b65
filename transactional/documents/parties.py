"""Who sells and who buys, as a document freezes them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.core.errors import InvalidInput
from transactional.core.gstin import checked_gstin
from transactional.core.profile import read_profile
from transactional.documents.regime import Supply
from transactional.documents.states import find_state, state_name
from transactional.orders import service as orders
from transactional.settings import Settings

_GSTIN_STATE = slice(0, 2)


def seller(session: Session, settings: Settings) -> dict[str, Any]:
    """The shop itself. Raises InvalidInput for a state that does not exist or is not the GSTIN's."""
    state = find_state(settings.seller_state)
    if state is None:
        raise InvalidInput(f"MLT_SELLER_STATE is no state of India: {settings.seller_state!r}")
    number = settings.seller_gstin
    if number is not None and number[_GSTIN_STATE] != state.code:
        raise InvalidInput(
            f"MLT_SELLER_GSTIN belongs to {state_name(number[_GSTIN_STATE])}, MLT_SELLER_STATE is {state.name}"
        )
    return {
        "name": settings.seller_name or read_profile(session, settings).name,
        "trade_name": read_profile(session, settings).name,
        "lines": [line.strip() for line in settings.seller_address.split(";") if line.strip()],
        "state": state.name,
        "state_code": state.code,
        "country": settings.seller_country,
        "gstin": number,
        "email": settings.seller_email,
        "phone": settings.seller_phone,
        "footer": settings.document_footer,
    }


def buyer(session: Session, order: orders.Order, supply: Supply) -> dict[str, Any]:
    """Whoever pays, and where the goods go. Only what the law wants on paper: no mail address, no telephone."""
    ship_to = order.ship_to
    payer = None if order.customer_id is None else accounts.get_customer(session, order.customer_id).full_name
    recipient = _text(ship_to, "recipient")
    return {
        "name": payer or recipient or "Customer",
        "gstin": _buyers_gstin(ship_to),
        "recipient": recipient or payer or "",
        "lines": [line for line in (_text(ship_to, "line1"), _text(ship_to, "line2")) if line],
        "city": _text(ship_to, "city"),
        "postal_code": _text(ship_to, "postal_code"),
        "state": state_name(supply.place) if supply.kind != "export" else _text(ship_to, "state"),
        "state_code": supply.place,
        "country": _text(ship_to, "country") or "IN",
    }


def _text(ship_to: Mapping[str, Any], key: str) -> str:
    return str(ship_to.get(key) or "").strip()


def _buyers_gstin(ship_to: Mapping[str, Any]) -> str | None:
    """A business's number, where the address has one that is true; a mistyped one is not put on paper."""
    try:
        return checked_gstin(_text(ship_to, "gstin"))
    except ValueError:
        return None
