"""What customers and time do to subscriptions: authorisation, cycles, charges, retries, halts."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta

from transactional.payments_standin.books import Books
from transactional.payments_standin.entities import Json, OrderEntity, PaymentEntity, PaymentFailure
from transactional.payments_standin.events import subscription_signature
from transactional.payments_standin.payments import fee_of
from transactional.payments_standin.recurring import PlanEntity, SubscriptionEntity
from transactional.payments_standin.subscriptions import apply_changes, finish, tell

_AUTHORISATION_AMOUNT = 500
"""What a card is checked with when nothing is charged yet."""
_DAY = int(timedelta(days=1).total_seconds())
_RETRIES = 3
_MONTHS = {"monthly": 1, "quarterly": 3, "yearly": 12}
_DAYS = {"daily": 1, "weekly": 7}


class Billing:
    """Charges subscriptions when they are due."""

    def __init__(self, books: Books) -> None:
        self._books = books

    def authorize(self, subscription_id: str) -> Json:
        """The customer agrees in the checkout; gives its signed answer. Raises ValueError when it is too late.

        With a later start the card is checked and `authenticated` is the state; else the first cycle is charged.
        """
        subscription = self._books.subscription(subscription_id)
        if subscription.status != "created":
            raise ValueError(f"subscription {subscription.id} is {subscription.status}")
        now = self._books.now()
        subscription.auth_attempts += 1
        subscription.customer_id = self._books.ids.next("cust")
        if subscription.start_at is not None and subscription.start_at > now:
            payment = self._pay(subscription, _AUTHORISATION_AMOUNT, at=now, success=True)
            subscription.status, subscription.charge_at = "authenticated", subscription.start_at
            subscription.last_payment_id = payment.id
            tell(self._books, "authenticated", subscription, at=now)
        else:
            subscription.start_at = now
            subscription.charge_at = now
            self._begin_cycle(subscription, at=now)
            payment = self._books.payments[subscription.last_payment_id or ""]
        signature = subscription_signature(payment.id, subscription.id, self._books.config.key_secret)
        return {
            "razorpay_payment_id": payment.id,
            "razorpay_subscription_id": subscription.id,
            "razorpay_signature": signature,
        }

    def decide_next(self, subscription_id: str, outcomes: list[bool]) -> None:
        """Whether the next charges, retries included, will succeed."""
        self._books.subscription(subscription_id).outcomes = list(outcomes)

    def recover(self, subscription_id: str) -> Json:
        """A new card or a charge by hand brings a pending or halted one back; missed invoices stay unpaid."""
        subscription = self._books.subscription(subscription_id)
        if subscription.status not in {"pending", "halted"}:
            raise ValueError(f"subscription {subscription.id} is {subscription.status}")
        subscription.retries = 0
        subscription.status = "active"
        subscription.charge_at = subscription.current_end
        tell(self._books, "activated", subscription, at=self._books.now())
        return subscription.render()

    def settle_time(self) -> None:
        """Do everything that is due, cycle by cycle, each at its own moment."""
        now = self._books.now()
        for subscription in list(self._books.subscriptions.values()):
            while not subscription.is_over and self._step(subscription, now):
                pass

    def _step(self, subscription: SubscriptionEntity, now: int) -> bool:
        """Do the next thing that is due; False when there is none."""
        if subscription.status == "created":
            return self._expire(subscription, now)
        due_at = subscription.charge_at
        if due_at is None or due_at > now:
            return False
        if subscription.status == "pending":
            self._retry(subscription, at=due_at)
        elif subscription.cancel_at_cycle_end:
            finish(self._books, subscription, "cancelled", at=due_at)
        elif subscription.remaining_count == 0:
            finish(self._books, subscription, "completed", at=due_at)
        else:
            self._begin_cycle(subscription, at=due_at)
        return True

    def _expire(self, subscription: SubscriptionEntity, now: int) -> bool:
        limits = [limit for limit in (subscription.start_at, subscription.expire_by) if limit is not None]
        if not limits or min(limits) > now:
            return False
        finish(self._books, subscription, "expired", at=min(limits))
        return True

    def _begin_cycle(self, subscription: SubscriptionEntity, *, at: int) -> None:
        """The next cycle: charged, unless the subscription is halted, when only its invoice is written."""
        if subscription.scheduled is not None:
            apply_changes(subscription, subscription.scheduled)
            subscription.scheduled = None
            tell(self._books, "updated", subscription, at=at)
        plan = self._books.plan(subscription.plan_id)
        first = subscription.start_at or at
        subscription.cycles += 1
        subscription.current_start = at
        subscription.current_end = _next_start(first, plan, subscription.cycles, after=at)
        subscription.charge_at = subscription.current_end
        if subscription.status != "halted":
            self._charge(subscription, plan, at=at)

    def _charge(self, subscription: SubscriptionEntity, plan: PlanEntity, *, at: int) -> None:
        success = self._next_outcome(subscription)
        payment = self._pay(subscription, plan.amount * subscription.quantity, at=at, success=success)
        subscription.last_payment_id = payment.id
        if success:
            self._charged(subscription, at=at)
        else:
            self._refused(subscription, at=at)

    def _next_outcome(self, subscription: SubscriptionEntity) -> bool:
        if subscription.status == "created" or not subscription.outcomes:
            return True  # the customer has just agreed with a card that works
        return subscription.outcomes.pop(0)

    def _charged(self, subscription: SubscriptionEntity, *, at: int) -> None:
        was = subscription.status
        subscription.retries = 0
        subscription.paid_count += 1
        subscription.status = "active"
        subscription.charge_at = subscription.current_end
        if was != "active":
            tell(self._books, "activated", subscription, at=at)
        tell(self._books, "charged", subscription, at=at)

    def _refused(self, subscription: SubscriptionEntity, *, at: int) -> None:
        """Tried again on each of the next three days, then halted."""
        subscription.auth_attempts += 1
        if subscription.retries == _RETRIES:
            subscription.retries = 0
            subscription.status, subscription.charge_at = "halted", subscription.current_end
            tell(self._books, "halted", subscription, at=at)
            return
        subscription.retries += 1
        subscription.status, subscription.charge_at = "pending", at + _DAY
        tell(self._books, "pending", subscription, at=at)

    def _retry(self, subscription: SubscriptionEntity, *, at: int) -> None:
        self._charge(subscription, self._books.plan(subscription.plan_id), at=at)

    def _pay(self, subscription: SubscriptionEntity, amount: int, *, at: int, success: bool) -> PaymentEntity:
        """A charge, with the order and the invoice that the gateway makes for it."""
        plan, ids = self._books.plan(subscription.plan_id), self._books.ids
        order = OrderEntity(ids.next("order"), amount, plan.currency, None, {}, at, attempts=1)
        payment = PaymentEntity(
            id=ids.next("pay"),
            order_id=order.id,
            amount=amount,
            currency=plan.currency,
            method="card",
            email="shopper@example.com",
            contact="+919000090000",
            notes={},
            created_at=at,
            instrument={"card_id": ids.next("card")},
            acquirer_data={"auth_code": ids.digits(6)},
            invoice_id=ids.next("inv"),
        )
        self._books.orders[order.id] = order
        self._books.payments[payment.id] = payment
        self._books.payments_of_order[order.id].append(payment)
        if not success:
            order.status, payment.status, payment.failure = "attempted", "failed", PaymentFailure()
            self._books.events.payment("payment.failed", payment, at=at)
            return payment
        order.status, order.amount_paid = "paid", amount
        payment.status, payment.captured, payment.authorized_at = "captured", True, at
        payment.fee, payment.tax = fee_of(amount)
        self._books.events.payment("payment.captured", payment, at=at)
        return payment


def _next_start(first: int, plan: PlanEntity, index: int, *, after: int) -> int:
    """The start of the cycle of an index, or of the first later one that lies ahead: a pause skips cycles."""
    while cycle_start(first, plan, index) <= after:
        index += 1
    return cycle_start(first, plan, index)


def cycle_start(first: int, plan: PlanEntity, index: int) -> int:
    """When the cycle of an index (0: the first) begins, computed from the first one, so that the 31st never drifts."""
    start = datetime.fromtimestamp(first, UTC)
    if plan.period in _DAYS:
        return int((start + timedelta(days=_DAYS[plan.period] * plan.interval * index)).timestamp())
    months = start.month - 1 + _MONTHS[plan.period] * plan.interval * index
    year, month = start.year + months // 12, months % 12 + 1
    day = min(start.day, monthrange(year, month)[1])
    return int(start.replace(year=year, month=month, day=day).timestamp())
