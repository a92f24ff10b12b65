"""The API's paths and the calls behind them."""

import re

from transactional.payments_standin.books import Books
from transactional.payments_standin.entities import Json
from transactional.payments_standin.orders import OrderDesk
from transactional.payments_standin.payments import PaymentDesk
from transactional.payments_standin.plans import PlanDesk
from transactional.payments_standin.refunds import RefundDesk
from transactional.payments_standin.refusals import UNKNOWN_URL, Refusal
from transactional.payments_standin.subscriptions import SubscriptionDesk
from transactional.payments_standin.wire import Answer, ApiRequest


class Api:
    """Finds the call for a request."""

    def __init__(self, books: Books) -> None:
        rows = [*_payment_routes(books), *_recurring_routes(books)]
        self._routes = [(method, re.compile(pattern), answer) for method, pattern, answer in rows]

    def answer(self, request: ApiRequest) -> Json:
        """Do the call. Raises Refusal, also for an unknown path or a wrong verb."""
        for method, pattern, answer in self._routes:
            match = pattern.fullmatch(request.path) if method == request.method else None
            if match is not None:
                return answer(request, match)
        raise Refusal(UNKNOWN_URL)


def _payment_routes(books: Books) -> list[tuple[str, str, Answer]]:
    """Orders, payments and refunds, the most used first."""
    orders, payments, refunds = OrderDesk(books), PaymentDesk(books), RefundDesk(books)
    return [
        ("POST", r"/v1/orders", lambda r, _: orders.create(r.json())),
        ("GET", r"/v1/payments/([^/]+)", lambda _, m: payments.fetch(m[1])),
        ("POST", r"/v1/payments/([^/]+)/capture", lambda r, m: payments.capture(m[1], r.json())),
        ("POST", r"/v1/payments/([^/]+)/refund", lambda r, m: refunds.create(m[1], r.json(), r.refund_key)),
        ("GET", r"/v1/orders/([^/]+)/payments", lambda _, m: orders.payments(m[1])),
        ("GET", r"/v1/orders/([^/]+)", lambda r, m: orders.fetch(m[1], r.expand)),
        ("PATCH", r"/v1/orders/([^/]+)", lambda r, m: orders.edit(m[1], r.json())),
        ("GET", r"/v1/orders", lambda r, _: orders.listing(r.query, r.expand)),
        ("PATCH", r"/v1/payments/([^/]+)", lambda r, m: payments.edit(m[1], r.json())),
        ("GET", r"/v1/payments", lambda r, _: payments.listing(r.query)),
        ("GET", r"/v1/payments/([^/]+)/refunds", lambda r, m: refunds.of_payment(m[1], r.query)),
        ("GET", r"/v1/payments/([^/]+)/refunds/([^/]+)", lambda _, m: refunds.of_payment_one(m[1], m[2])),
        ("POST", r"/v1/refunds", lambda r, _: refunds.create_by_body(r.json(), r.refund_key)),
        ("GET", r"/v1/refunds", lambda r, _: refunds.listing(r.query)),
        ("GET", r"/v1/refunds/([^/]+)", lambda _, m: refunds.fetch(m[1])),
        ("PATCH", r"/v1/refunds/([^/]+)", lambda r, m: refunds.edit(m[1], r.json())),
    ]


def _recurring_routes(books: Books) -> list[tuple[str, str, Answer]]:
    """Plans and subscriptions."""
    plans, subscriptions = PlanDesk(books), SubscriptionDesk(books)
    one = r"/v1/subscriptions/([^/]+)"
    return [
        ("POST", r"/v1/plans", lambda r, _: plans.create(r.json())),
        ("GET", r"/v1/plans", lambda r, _: plans.listing(r.query)),
        ("GET", r"/v1/plans/([^/]+)", lambda _, m: plans.fetch(m[1])),
        ("POST", r"/v1/subscriptions", lambda r, _: subscriptions.create(r.json())),
        ("GET", r"/v1/subscriptions", lambda r, _: subscriptions.listing(r.query)),
        ("GET", one, lambda _, m: subscriptions.fetch(m[1])),
        ("PATCH", one, lambda r, m: subscriptions.edit(m[1], r.json())),
        ("POST", one + "/cancel", lambda r, m: subscriptions.cancel(m[1], r.json())),
        ("POST", one + "/pause", lambda r, m: subscriptions.pause(m[1], r.json())),
        ("POST", one + "/resume", lambda r, m: subscriptions.resume(m[1], r.json())),
        ("GET", one + "/retrieve_scheduled_changes", lambda _, m: subscriptions.pending_update(m[1])),
        ("POST", one + "/cancel_scheduled_changes", lambda _, m: subscriptions.cancel_scheduled_changes(m[1])),
    ]
