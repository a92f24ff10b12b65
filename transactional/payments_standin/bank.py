"""What happens outside of the API: shoppers pay, banks answer, fail, stay silent or answer late, windows close."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from transactional.payments_standin.books import Books
from transactional.payments_standin.entities import (
    BANK_SILENT,
    Json,
    OrderEntity,
    PaymentEntity,
    PaymentFailure,
    Verdict,
)
from transactional.payments_standin.events import checkout_signature
from transactional.payments_standin.payments import take
from transactional.payments_standin.refunds import open_refund
from transactional.payments_standin.refusals import ALREADY_PAID, Refusal

SUCCESS_VPA = "success@razorpay"
FAILURE_VPA = "failure@razorpay"


class Outcome(StrEnum):
    """What the bank says to an attempt."""

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    FAILED = "failed"
    SILENT = "silent"
    """No answer: the payment stays `created` and fails after ten minutes."""


class Method(StrEnum):
    """How the shopper pays."""

    CARD = "card"
    UPI = "upi"
    NETBANKING = "netbanking"
    WALLET = "wallet"


@dataclass(frozen=True, slots=True)
class Checkout:
    """What the checkout widget gives to the browser: the signed triple, or the error of a failure."""

    order_id: str
    payment_id: str
    signature: str | None
    error: Json | None

    def render(self) -> Json:
        """As the widget's callback receives it."""
        if self.signature is None:
            return {"razorpay_order_id": self.order_id, "razorpay_payment_id": self.payment_id, "error": self.error}
        return {
            "razorpay_order_id": self.order_id,
            "razorpay_payment_id": self.payment_id,
            "razorpay_signature": self.signature,
        }


class Bank:
    """Decides the fate of payments."""

    def __init__(self, books: Books) -> None:
        self._books = books
        self._waiting: dict[str, PaymentEntity] = {}
        """Payments that time may still change: silent or authorised ones."""

    def resume(self) -> None:
        """Wait again for what time may still change, after the books were read in."""
        for payment in self._books.payments.values():
            if payment.status in {"created", "authorized"} or payment.verdict is not None:
                self._waiting[payment.id] = payment

    def pay(
        self,
        order_id: str,
        *,
        method: Method = Method.UPI,
        outcome: Outcome | None = None,
        vpa: str = SUCCESS_VPA,
        email: str = "shopper@example.com",
        contact: str = "+919000090000",
        delay: timedelta = timedelta(0),
    ) -> Checkout:
        """A shopper pays an order in the checkout widget; the bank answers after a `delay`, perhaps too late.

        Without an outcome UPI ids decide by themselves (`failure@razorpay` fails) and the order's capture setting
        says how far a success goes. Raises Refusal when the order is paid already.
        """
        order = self._books.order(order_id)
        if order.status == "paid":
            raise Refusal(ALREADY_PAID, metadata={"order_id": order.id})
        payment = self._attempt(order, method, vpa, email, contact)
        outcome = outcome or self._natural_outcome(order, method, vpa)
        if outcome is Outcome.SILENT:
            self._waiting[payment.id] = payment
            return Checkout(order.id, payment.id, None, BANK_SILENT_ERROR)
        if delay:
            return self._decide_later(payment, outcome, delay)
        return self._decide(payment, outcome)

    def _decide(self, payment: PaymentEntity, outcome: Outcome) -> Checkout:
        if outcome is Outcome.FAILED:
            return self._fail(payment, PaymentFailure())
        self._authorize(payment)
        if outcome is Outcome.CAPTURED:
            self._capture(payment)
        return self._checkout(payment)

    def _decide_later(self, payment: PaymentEntity, outcome: Outcome, delay: timedelta) -> Checkout:
        payment.verdict = Verdict(outcome.value, self._books.now() + int(delay.total_seconds()))
        self._waiting[payment.id] = payment
        if outcome is Outcome.FAILED:
            return Checkout(payment.order_id, payment.id, None, _error_of(payment, PaymentFailure()))
        return self._checkout(payment)

    def pay_twice(
        self, order_id: str, *, method: Method = Method.UPI, captured: bool = False
    ) -> tuple[Checkout, Checkout]:
        """Two attempts, open in two windows, both authorised before either is captured; or even both `captured`."""
        order = self._books.order(order_id)
        payments = [self._attempt(order, method, SUCCESS_VPA, "shopper@example.com", "+919000090000") for _ in range(2)]
        for payment in payments:
            self._authorize(payment)
        for payment in payments if captured else ():
            self._capture(payment)
        first, second = (self._checkout(payment) for payment in payments)
        return first, second

    def authorize_late(self, payment_id: str, *, capture: bool | None = None) -> Checkout:
        """The bank answers after the payment had failed or while it waited.

        On a paid order the gateway gives the money back at once, if it is set to. It captures by itself only within
        the order's own time for that, unless `capture` says otherwise. Raises ValueError when the payment cannot be
        authorised any more.
        """
        payment = self._books.payment(payment_id)
        if payment.status not in {"created", "failed"}:
            raise ValueError(f"payment {payment_id} is {payment.status} already")
        if self._books.is_over(payment.created_at, self._books.config.late_window):
            raise ValueError(f"payment {payment_id} is too old to be authorised late")
        order_paid = self._books.order(payment.order_id).status == "paid"
        self._authorize(payment)
        if order_paid and self._books.config.refunds_late_duplicates:
            self._give_back(payment)
        elif self._is_captured_late(payment) if capture is None else capture:
            self._capture(payment)
        return self._checkout(payment)

    def _is_captured_late(self, payment: PaymentEntity) -> bool:
        order = self._books.order(payment.order_id)
        within = order.automatic_expiry
        return order.automatic_capture and within is not None and not self._books.is_over(payment.created_at, within)

    def settle_time(self) -> None:
        """Do what the clock demands: banks answer, silent payments fail, what nobody captured is given back."""
        for payment in list(self._waiting.values()):
            if payment.status == "created":
                self._settle_created(payment)
            elif payment.status == "failed" and self._verdict_is_due(payment):
                self._settle_late(payment)
            elif payment.status == "authorized" and self._is_lapsed(payment):
                self._give_back(payment)
            if payment.status not in {"created", "authorized"} and payment.verdict is None:
                self._waiting.pop(payment.id, None)

    def _settle_created(self, payment: PaymentEntity) -> None:
        timeout = self._books.config.bank_timeout
        verdict = payment.verdict
        in_time = verdict is not None and verdict.due_at - payment.created_at < timeout.total_seconds()
        if verdict is not None and in_time and self._verdict_is_due(payment):
            payment.verdict = None
            self._decide(payment, Outcome(verdict.outcome))
        elif self._books.is_over(payment.created_at, timeout):
            self._fail(payment, BANK_SILENT)
            if self._verdict_is_due(payment):
                self._settle_late(payment)

    def _verdict_is_due(self, payment: PaymentEntity) -> bool:
        return payment.verdict is not None and payment.verdict.due_at <= self._books.now()

    def _settle_late(self, payment: PaymentEntity) -> None:
        """A verdict after the payment had failed; a second no, or one after the window, changes nothing."""
        assert payment.verdict is not None
        outcome, due_at = Outcome(payment.verdict.outcome), payment.verdict.due_at
        payment.verdict = None
        too_late = due_at - payment.created_at >= self._books.config.late_window.total_seconds()
        if (
            outcome is Outcome.FAILED
            or too_late
            or self._books.is_over(payment.created_at, self._books.config.late_window)
        ):
            return
        self.authorize_late(payment.id, capture=outcome is Outcome.CAPTURED)

    def _is_lapsed(self, payment: PaymentEntity) -> bool:
        own = self._books.order(payment.order_id).manual_expiry
        if own is not None:
            return self._books.is_over(payment.created_at, own)
        assert payment.authorized_at is not None
        return self._books.is_over(payment.authorized_at, self._books.config.authorisation_window)

    def _natural_outcome(self, order: OrderEntity, method: Method, vpa: str) -> Outcome:
        if method is Method.UPI and vpa == FAILURE_VPA:
            return Outcome.FAILED
        return Outcome.CAPTURED if order.automatic_capture else Outcome.AUTHORIZED

    def _attempt(self, order: OrderEntity, method: Method, vpa: str, email: str, contact: str) -> PaymentEntity:
        ids = self._books.ids
        instrument, acquirer_data = _instrument(method, vpa, self._books)
        payment = PaymentEntity(
            id=ids.next("pay"),
            order_id=order.id,
            amount=order.amount,
            currency=order.currency,
            method=method.value,
            email=email,
            contact=contact.removeprefix("+91") if self._books.config.oddities and ids.chance() else contact,
            notes=dict(order.notes),
            created_at=self._books.now(),
            instrument=instrument,
            acquirer_data=acquirer_data,
        )
        self._books.payments[payment.id] = payment
        self._books.payments_of_order[order.id].append(payment)
        order.attempts += 1
        if order.status == "created":
            order.status = "attempted"
        return payment

    def _authorize(self, payment: PaymentEntity) -> None:
        payment.status = "authorized"
        payment.failure = None
        payment.authorized_at = self._books.now()
        self._waiting[payment.id] = payment
        self._books.events.payment("payment.authorized", payment, at=self._books.now())

    def _capture(self, payment: PaymentEntity) -> None:
        self._waiting.pop(payment.id, None)
        take(self._books, payment)

    def _fail(self, payment: PaymentEntity, failure: PaymentFailure) -> Checkout:
        payment.status = "failed"
        payment.failure = failure
        self._books.events.payment("payment.failed", payment, at=self._books.now())
        return Checkout(payment.order_id, payment.id, None, _error_of(payment, failure))

    def _give_back(self, payment: PaymentEntity) -> None:
        self._waiting.pop(payment.id, None)
        open_refund(self._books, payment, payment.amount, status="processed")

    def _checkout(self, payment: PaymentEntity) -> Checkout:
        signature = checkout_signature(payment.order_id, payment.id, self._books.config.key_secret)
        return Checkout(payment.order_id, payment.id, signature, None)


BANK_SILENT_ERROR: Json = {"code": BANK_SILENT.code, "description": BANK_SILENT.description}


def _error_of(payment: PaymentEntity, failure: PaymentFailure) -> Json:
    return {
        "code": failure.code,
        "description": failure.description,
        "source": failure.source,
        "step": failure.step,
        "reason": failure.reason,
        "metadata": {"payment_id": payment.id, "order_id": payment.order_id},
    }


def _instrument(method: Method, vpa: str, books: Books) -> tuple[Json, dict[str, str | None]]:
    """The fields that a method adds to a payment, and what the acquiring bank reports."""
    reference = books.ids.digits(12)
    if method is Method.UPI:
        upi = {"vpa": vpa, "payer_account_type": "bank_account", "flow": "collect"}
        return {"vpa": vpa, "upi": upi}, {"rrn": reference, "upi_transaction_id": books.ids.token().upper()}
    if method is Method.NETBANKING:
        return {"bank": "HDFC"}, {"bank_transaction_id": reference}
    if method is Method.WALLET:
        return {"wallet": "airtelmoney"}, {"transaction_id": None}
    card_id = books.ids.next("card")
    card = {
        "id": card_id,
        "entity": "card",
        "name": "",
        "last4": books.ids.digits(4),
        "network": "Visa",
        "type": "credit",
        "issuer": None,
        "international": False,
        "emi": False,
        "sub_type": "consumer",
        "token_iin": None,
    }
    return {"card_id": card_id, "card": card}, {"auth_code": books.ids.digits(6), "rrn": reference}
