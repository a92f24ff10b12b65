"""Whether two people are one: compared by account, e-mail, phone and address, each in a normal form."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.accounts.service import Customer
from transactional.affiliates.models import Affiliate, RefusalReason
from transactional.orders.service import Order

T = TypeVar("T")

_PHONE_DIGITS = 10
"""A number without country code and leading zero, as India writes it."""
_SHORTEST_PHONE = 7


@dataclass(frozen=True, slots=True)
class Person:
    """What is known about somebody, in normal forms."""

    customer_ids: frozenset[int] = frozenset()
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()


def same_person(one: Person, other: Person) -> RefusalReason | None:
    """What gives two people away as one, the strongest sign first; None where they differ in everything."""
    signs = (
        (RefusalReason.SAME_ACCOUNT, one.customer_ids & other.customer_ids),
        (RefusalReason.SAME_EMAIL, one.emails & other.emails),
        (RefusalReason.SAME_PHONE, one.phones & other.phones),
        (RefusalReason.SAME_ADDRESS, one.addresses & other.addresses),
    )
    return next((reason for reason, shared in signs if shared), None)


def buyer_of(session: Session, order: Order) -> Person:
    """Who placed an order: the customer with account and order's own e-mail, phone and address."""
    customer = None if order.customer_id is None else accounts.get_customer(session, order.customer_id)
    return Person(
        customer_ids=_some([order.customer_id]),
        emails=_emails([order.email, customer.email if customer else None]),
        phones=_phones([order.ship_to.get("phone"), customer.phone if customer else None]),
        addresses=_addresses([order.ship_to]),
    )


def person_of_customer(session: Session, customer_id: int) -> Person:
    """A customer with the address book."""
    customer = accounts.get_customer(session, customer_id)
    book = accounts.list_addresses(session, customer_id=customer_id)
    return Person(
        customer_ids=frozenset({customer_id}),
        emails=_emails([customer.email, _log_in(session, customer)]),
        phones=_phones([customer.phone, *(address.phone for address in book)]),
        addresses=_addresses(_fields(address) for address in book),
    )


def person_of_affiliate(session: Session, affiliate: Affiliate) -> Person:
    """An affiliate: the customer's account and address book, with what the application says."""
    customer = person_of_customer(session, affiliate.customer_id)
    return Person(
        customer_ids=customer.customer_ids,
        emails=customer.emails,
        phones=customer.phones | _phones([affiliate.phone]),
        addresses=customer.addresses | _addresses([_fields(affiliate)]),
    )


def normal_phone(phone: str | None) -> str | None:
    """The last ten digits; None for what is too short to be anybody's number."""
    digits = "".join(str(unicodedata.digit(c)) for c in phone or "" if c.isdigit())
    return digits[-_PHONE_DIGITS:] if len(digits) >= _SHORTEST_PHONE else None


def normal_address(address: Mapping[str, Any]) -> str | None:
    """Street lines and postal code, letters and digits only, whatever their case; None for an incomplete address."""
    street = _letters(f"{address.get('line1') or ''}{address.get('line2') or ''}")
    code = _letters(str(address.get("postal_code") or ""))
    return f"{street}|{code}" if street and code else None


def _log_in(session: Session, customer: Customer) -> str | None:
    return None if customer.user_id is None else accounts.get_user(session, customer.user_id).email


def _emails(values: Iterable[str | None]) -> frozenset[str]:
    return frozenset(accounts.identity_key(value) for value in values if value)


def _phones(values: Iterable[str | None]) -> frozenset[str]:
    return _some(normal_phone(value) for value in values)


def _addresses(values: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return _some(normal_address(value) for value in values)


def _some(values: Iterable[T | None]) -> frozenset[T]:
    return frozenset(value for value in values if value is not None)


def _fields(row: Any) -> Mapping[str, Any]:
    return {name: getattr(row, name) for name in ("line1", "line2", "postal_code")}


def _letters(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in plain if unicodedata.category(c)[0] in "LMN")
