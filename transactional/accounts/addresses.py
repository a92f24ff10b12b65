"""Where a customer wants parcels to go. An order keeps its own copy, so a change here leaves past orders alone."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from transactional.accounts.models import Address
from transactional.core.errors import Conflict, NotFound

MAX_ADDRESSES = 50


def list_addresses(session: Session, *, customer_id: int) -> Sequence[Address]:
    """The customer's addresses, oldest first."""
    return session.scalars(select(Address).where(Address.customer_id == customer_id).order_by(Address.id)).all()


def add_address(session: Session, *, customer_id: int, fields: dict[str, str | None], now: datetime) -> Address:
    """A new address. Conflict when the book is full."""
    held = session.scalar(select(func.count()).select_from(Address).where(Address.customer_id == customer_id)) or 0
    if held >= MAX_ADDRESSES:
        raise Conflict(f"an address book holds {MAX_ADDRESSES} addresses; delete one first")
    address = Address(customer_id=customer_id, created_at=now, **fields)
    session.add(address)
    session.flush()
    return address


def replace_address(session: Session, *, customer_id: int, address_id: int, fields: dict[str, str | None]) -> Address:
    """Write an address anew. NotFound when the customer has no such address."""
    mine = select(Address).where(Address.id == address_id, Address.customer_id == customer_id)
    address = session.scalar(mine)
    if address is None:
        raise NotFound("no such address")
    for name, value in fields.items():
        setattr(address, name, value)
    session.flush()
    return address


def delete_address(session: Session, *, customer_id: int, address_id: int) -> None:
    """Forget an address. NotFound when the customer has no such address."""
    mine = delete(Address).where(Address.id == address_id, Address.customer_id == customer_id)
    if session.connection().execute(mine).rowcount == 0:
        raise NotFound("no such address")
