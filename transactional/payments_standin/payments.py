"""The calls on payments, and the one way in which money is captured."""

from collections.abc import Mapping

from transactional.core.money import percent_of
from transactional.payments_standin.books import Books, page_of
from transactional.payments_standin.entities import Json, PaymentEntity
from transactional.payments_standin.refusals import ALREADY_PAID, CAPTURE_AMOUNT, NOT_AUTHORIZED, Refusal, invalid_field
from transactional.payments_standin.validation import Body, currency_of, integer, notes_of, only_fields

_FEE_BASIS_POINTS = 200
_GST_BASIS_POINTS = 1800


class PaymentDesk:
    """GET and PATCH under `/v1/payments`, and capture."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def listing(self, query: Mapping[str, str]) -> Json:
        """Payments, newest first."""
        return page_of(list(self._books.payments.values()), query)

    def fetch(self, payment_id: str) -> Json:
        """One payment."""
        return self._books.payment(payment_id).render()

    def edit(self, payment_id: str, body: Body) -> Json:
        """Only the notes can be changed."""
        only_fields(body, {"notes"})
        payment = self._books.payment(payment_id)
        payment.notes = notes_of(body)
        return payment.render()

    def capture(self, payment_id: str, body: Body) -> Json:
        """Take what was authorised: exactly that amount, once, and once per order."""
        only_fields(body, {"amount", "currency"})
        payment = self._books.payment(payment_id)
        amount = integer(body, "amount")
        currency = currency_of(body) if "currency" in body else payment.currency
        order_paid = self._books.order(payment.order_id).status == "paid"
        if payment.captured or order_paid:
            raise Refusal(ALREADY_PAID, metadata={"payment_id": payment.id, "order_id": payment.order_id})
        if payment.status != "authorized":
            raise Refusal(NOT_AUTHORIZED)
        if amount != payment.amount or currency != payment.currency:
            raise invalid_field(CAPTURE_AMOUNT, "amount")
        take(self._books, payment)
        return payment.render()


def take(books: Books, payment: PaymentEntity) -> None:
    """Capture an authorised payment and mark its order paid; tells both."""
    now = books.now()
    payment.status = "captured"
    payment.captured = True
    payment.fee, payment.tax = fee_of(payment.amount)
    order = books.order(payment.order_id)
    order.status = "paid"
    order.amount_paid = payment.amount
    books.events.payment("payment.captured", payment, at=now)
    books.events.order_paid(payment, order, at=now)


def fee_of(amount: int) -> tuple[int, int]:
    """The gateway's fee including its GST, and the GST in it: 2 % and 18 % of that."""
    bare = percent_of(amount, _FEE_BASIS_POINTS)
    tax = percent_of(bare, _GST_BASIS_POINTS)
    return bare + tax, tax
