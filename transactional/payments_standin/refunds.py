"""The calls on refunds, the only ones with an idempotency key."""

import json
import re
from collections.abc import Mapping

from transactional.payments_standin.books import Books, page_of
from transactional.payments_standin.entities import Json, Page, PaymentEntity, RefundEntity
from transactional.payments_standin.refusals import (
    FULLY_REFUNDED,
    NOT_CAPTURED,
    REFUND_KEY_REUSED,
    REFUND_TOO_LARGE,
    Refusal,
    invalid_field,
    unknown_id,
)
from transactional.payments_standin.validation import Body, integer, notes_of, only_fields, receipt_of

_CREATE = {"amount", "speed", "notes", "receipt"}
_SPEEDS = {"normal", "optimum"}


class RefundDesk:
    """Refunds under `/v1/payments/:id` and `/v1/refunds`."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def create(self, payment_id: str, body: Body, key: str | None) -> Json:
        """Give back a part, or all that is left; the same key with the same body gives the same refund."""
        only_fields(body, _CREATE)
        if key is None:
            return self._create(payment_id, body).render()
        if re.fullmatch(r"[A-Za-z0-9_-]{10,}", key) is None:
            raise invalid_field(
                "The idempotency key must be at least 10 characters of A-Z, a-z, 0-9, _ and -.", "X-Refund-Idempotency"
            )
        asked = json.dumps([payment_id, body], sort_keys=True)
        if key in self._books.refund_keys:
            asked_before, refund_id = self._books.refund_keys[key]
            if asked_before != asked:
                raise Refusal(REFUND_KEY_REUSED, status=409)
            return self._books.refund(refund_id).render()
        refund = self._create(payment_id, body)
        self._books.refund_keys[key] = (asked, refund.id)
        return refund.render()

    def create_by_body(self, body: Body, key: str | None) -> Json:
        """The same with the payment's id in the body."""
        payment_id = body.get("payment_id")
        if not isinstance(payment_id, str):
            raise invalid_field("The payment_id field is required.", "payment_id")
        return self.create(payment_id, {name: value for name, value in body.items() if name != "payment_id"}, key)

    def _create(self, payment_id: str, body: Body) -> RefundEntity:
        payment = self._books.payment(payment_id)
        amount = self._refundable(payment, body)
        speed = body.get("speed")
        if speed is not None and speed not in _SPEEDS:
            raise invalid_field("The speed must be normal or optimum.", "speed")
        too_old = self._books.is_over(payment.created_at, self._books.config.refund_window)
        status = "failed" if too_old else self._books.config.refund_outcome
        return open_refund(
            self._books,
            payment,
            amount,
            status=status,
            notes=notes_of(body),
            receipt=receipt_of(body),
            speed=speed,
        )

    def _refundable(self, payment: PaymentEntity, body: Body) -> int:
        """The amount asked for, checked against what was taken and not yet given back."""
        if payment.status == "refunded":
            raise Refusal(FULLY_REFUNDED)
        if not payment.captured:
            raise Refusal(NOT_CAPTURED)
        left = payment.amount - payment.amount_refunded
        amount = integer(body, "amount") if body.get("amount") is not None else left
        if amount < 1:
            raise invalid_field("The amount must be at least 1.", "amount")
        if amount > left:
            raise invalid_field(REFUND_TOO_LARGE, "amount")
        return amount

    def listing(self, query: Mapping[str, str]) -> Json:
        """Refunds, newest first."""
        return page_of(list(self._books.refunds.values()), query)

    def of_payment(self, payment_id: str, query: Mapping[str, str]) -> Json:
        """The refunds of one payment, newest first."""
        payment = self._books.payment(payment_id)
        if not self._books.refunds_of_payment[payment.id]:
            return Page().render()
        return page_of(self._books.refunds_of_payment[payment.id], query)

    def of_payment_one(self, payment_id: str, refund_id: str) -> Json:
        """One refund of one payment."""
        payment, refund = self._books.payment(payment_id), self._books.refund(refund_id)
        if refund.payment_id != payment.id:
            raise unknown_id()
        return refund.render()

    def fetch(self, refund_id: str) -> Json:
        """One refund."""
        return self._books.refund(refund_id).render()

    def edit(self, refund_id: str, body: Body) -> Json:
        """Only the notes can be changed."""
        only_fields(body, {"notes"})
        refund = self._books.refund(refund_id)
        refund.notes = notes_of(body)
        return refund.render()


def open_refund(
    books: Books,
    payment: PaymentEntity,
    amount: int,
    *,
    status: str,
    notes: dict[str, str] | None = None,
    receipt: str | None = None,
    speed: str | None = None,
) -> RefundEntity:
    """Write a refund down and tell of it; `refund.created` may already say `processed`."""
    config = books.config
    refund = RefundEntity(
        id=books.ids.next("rfnd"),
        payment_id=payment.id,
        amount=amount,
        currency=payment.currency,
        receipt=receipt,
        notes=notes or {},
        created_at=books.now(),
        status="pending",
        speed=speed,
        shows_speed=config.speed_fields_always,
    )
    books.refunds[refund.id] = refund
    books.refunds_of_payment[payment.id].append(refund)
    payment.amount_refunded += amount
    if payment.amount_refunded == payment.amount:
        payment.status = "refunded"
    if status == "processed":
        _process(books, refund)
    books.events.refund("refund.created", refund, payment, at=books.now())
    _tell_of_lower_speed(books, refund, payment)
    if status == "processed":
        books.events.refund("refund.processed", refund, payment, at=books.now())
    elif status == "failed":
        settle_refund(books, refund, "failed")
    return refund


def _process(books: Books, refund: RefundEntity) -> None:
    refund.status = "processed"
    refund.arn = books.ids.digits(15)
    instant = refund.speed == "optimum" and books.config.instant_refunds
    refund.speed_processed = "instant" if instant else "normal"


def _tell_of_lower_speed(books: Books, refund: RefundEntity, payment: PaymentEntity) -> None:
    if refund.speed == "optimum" and not books.config.instant_refunds:
        books.events.refund("refund.speed_changed", refund, payment, at=books.now())


def settle_refund(books: Books, refund: RefundEntity, status: str) -> None:
    """The bank's last word on a pending refund; a failed one gives the money back to the merchant."""
    if refund.status != "pending":
        raise ValueError(f"refund {refund.id} is {refund.status} already")
    payment = books.payment(refund.payment_id)
    if status == "processed":
        _process(books, refund)
    else:
        refund.status = status
        payment.amount_refunded -= refund.amount
        payment.status = "captured" if payment.captured else payment.status
    books.events.refund(f"refund.{status}", refund, payment, at=books.now())
