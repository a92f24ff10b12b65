"""The calls on orders."""

from collections.abc import Collection, Mapping

from transactional.payments_standin.books import Books, page_of
from transactional.payments_standin.entities import Json, OrderEntity, Page
from transactional.payments_standin.refusals import RECEIPT_TAKEN, invalid_field
from transactional.payments_standin.validation import (
    Body,
    amount_of,
    capture_terms_of,
    currency_of,
    flag_of,
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
        flag_of(body, "partial_payment", default=False)
        terms = capture_terms_of(body)
        order = OrderEntity(
            id=self._books.ids.next("order"),
            amount=amount_of(body, currency),
            currency=currency,
            receipt=receipt_of(body),
            notes=notes_of(body),
            created_at=self._books.now(),
            automatic_capture=terms.automatic,
            automatic_expiry=terms.automatic_expiry,
            manual_expiry=terms.manual_expiry,
        )
        if order.receipt is not None:
            self._refuse_taken_receipt(order.receipt)
            self._books.orders_of_receipt[order.receipt].append(order)
        self._books.orders[order.id] = order
        return order.render()

    def _refuse_taken_receipt(self, receipt: str) -> None:
        if self._books.config.unique_receipts and self._books.orders_of_receipt[receipt]:
            raise invalid_field(RECEIPT_TAKEN, "receipt")

    def listing(self, query: Mapping[str, str], expand: Collection[str] = ()) -> Json:
        """Orders, newest first; `receipt` and `authorized` narrow them, `expand[]` shows their payments."""
        if "receipt" in query:
            orders = list(self._books.orders_of_receipt.get(query["receipt"], []))
        else:
            orders = list(self._books.orders.values())
        if query.get("authorized") in {"0", "1"}:
            wanted = query["authorized"] == "1"
            orders = [order for order in orders if self._has_authorized(order) is wanted]
        page = page_of(orders, query)
        page["items"] = [self._expanded(item, expand) for item in page["items"]]
        return page

    def _expanded(self, rendered: Json, expand: Collection[str]) -> Json:
        """With the order's payments; their cards only where `payments.card` was asked for."""
        if not {"payments", "payments.card"} & set(expand):
            return rendered
        payments = [payment.render() for payment in reversed(self._books.payments_of_order[rendered["id"]])]
        if "payments.card" not in expand:
            payments = [{name: payment[name] for name in payment if name != "card"} for payment in payments]
        return rendered | {"payments": Page(payments).render()}

    def _has_authorized(self, order: OrderEntity) -> bool:
        return any(payment.authorized_at is not None for payment in self._books.payments_of_order[order.id])

    def fetch(self, order_id: str, expand: Collection[str] = ()) -> Json:
        """One order."""
        return self._expanded(self._books.order(order_id).render(), expand)

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
