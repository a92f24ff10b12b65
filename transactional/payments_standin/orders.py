"""The calls on orders."""

from collections.abc import Mapping

from transactional.payments_standin.books import Books, page_of
from transactional.payments_standin.entities import Json, OrderEntity, Page
from transactional.payments_standin.refusals import RECEIPT_TAKEN, invalid_field
from transactional.payments_standin.validation import (
    Body,
    amount_of,
    automatic_capture_of,
    currency_of,
    notes_of,
    only_fields,
    receipt_of,
)

_CREATE = {"amount", "currency", "receipt", "notes", "partial_payment", "payment"}


class OrderDesk:
    """POST, GET and PATCH under `/v1/orders`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def create(self, body: Body) -> Json:
        """A new order. There is no idempotency key for this call: a repetition makes a second order."""
        only_fields(body, _CREATE)
        currency = currency_of(body)
        order = OrderEntity(
            id=self._books.ids.next("order"),
            amount=amount_of(body, currency),
            currency=currency,
            receipt=receipt_of(body),
            notes=notes_of(body),
            created_at=self._books.now(),
            automatic_capture=automatic_capture_of(body),
        )
        if order.receipt is not None:
            self._refuse_taken_receipt(order.receipt)
            self._books.orders_of_receipt[order.receipt].append(order)
        self._books.orders[order.id] = order
        return order.render()

    def _refuse_taken_receipt(self, receipt: str) -> None:
        if self._books.config.unique_receipts and self._books.orders_of_receipt[receipt]:
            raise invalid_field(RECEIPT_TAKEN, "receipt")

    def listing(self, query: Mapping[str, str]) -> Json:
        """Orders, newest first; `receipt` and `authorized` narrow them."""
        if "receipt" in query:
            orders = list(self._books.orders_of_receipt.get(query["receipt"], []))
        else:
            orders = list(self._books.orders.values())
        if query.get("authorized") in {"0", "1"}:
            wanted = query["authorized"] == "1"
            orders = [order for order in orders if self._has_authorized(order) is wanted]
        return page_of(orders, query)

    def _has_authorized(self, order: OrderEntity) -> bool:
        return any(payment.authorized_at is not None for payment in self._books.payments_of_order[order.id])

    def fetch(self, order_id: str) -> Json:
        """One order."""
        return self._books.order(order_id).render()

    def edit(self, order_id: str, body: Body) -> Json:
        """Only the notes can be changed."""
        only_fields(body, {"notes"})
        order = self._books.order(order_id)
        order.notes = notes_of(body)
        return order.render()

    def payments(self, order_id: str) -> Json:
        """All attempts to pay an order, newest first."""
        order = self._books.order(order_id)
        return Page([payment.render() for payment in reversed(self._books.payments_of_order[order.id])]).render()
