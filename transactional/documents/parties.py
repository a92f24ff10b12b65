"""Who sells and who buys, as a document freezes them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.core.errors import InvalidInput
from transactional.core.profile import read_profile
from transactional.documents.regime import gstin_of
from transactional.documents.states import find_state, state_name, state_of_address
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
    trade_name = read_profile(session, settings).name
    return {
        "name": settings.seller_name or trade_name,
        "trade_name": trade_name,
        "lines": [line.strip() for line in settings.seller_address.split(";") if line.strip()],
        "state": state.name,
        "state_code": state.code,
        "country": settings.seller_country,
        "gstin": number,
        "email": settings.seller_email,
        "phone": settings.seller_phone,
        "footer": settings.document_footer,
    }


def buyer(session: Session, order: orders.Order) -> dict[str, Any]:
    """Whoever pays, and where the goods go. Only what the law wants on paper: no mail address, no telephone."""
    ship_to = order.ship_to
    payer = None if order.customer_id is None else accounts.get_customer(session, order.customer_id).full_name
    recipient = _text(ship_to, "recipient")
    state = state_of_address(
        state=ship_to.get("state"), postal_code=ship_to.get("postal_code"), country=ship_to.get("country")
    )
    return {
        "name": payer or recipient or "Customer",
        "gstin": gstin_of(ship_to),
        "recipient": recipient or payer or "",
        "lines": [line for line in (_text(ship_to, "line1"), _text(ship_to, "line2")) if line],
        "city": _text(ship_to, "city"),
        "postal_code": _text(ship_to, "postal_code"),
        "state": _text(ship_to, "state") if state is None else state.name,
        "state_code": None if state is None else state.code,
        "country": _text(ship_to, "country") or "IN",
    }


def _text(ship_to: Mapping[str, Any], key: str) -> str:
    return str(ship_to.get(key) or "").strip()
