"""The carrier as a whole: a plain object that answers API requests, whatever carried them."""

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from transactional.core.clock import Clock, SystemClock
from transactional.shipping_standin import couriers, validation
from transactional.shipping_standin.account import AccountDesk
from transactional.shipping_standin.aftercare import AftercareDesk
from transactional.shipping_standin.books import Books
from transactional.shipping_standin.config import Account, Switches
from transactional.shipping_standin.dispatch import DispatchDesk
from transactional.shipping_standin.entities import Parcel
from transactional.shipping_standin.faults import Fault, Faults
from transactional.shipping_standin.journeys import Journeys
from transactional.shipping_standin.orders import OrderDesk
from transactional.shipping_standin.refusals import NON_OBJECT, Refusal, broken, invalid, not_found
from transactional.shipping_standin.times import VirtualClock
from transactional.shipping_standin.tokens import Tokens
from transactional.shipping_standin.tracking import TrackingDesk, webhook_body
from transactional.shipping_standin.webhooks import Sender, Webhooks, send_over_http

BASE = "/v1/external"
_REMEMBERED_REQUESTS = 10_000
_HTML_PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class AnswerLost(Exception):
    """The work was done; the answer must not reach the caller."""


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """A request, free of any HTTP library. Header names are in lower case."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """An answer."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class RecordedRequest:
    """What was asked and how it was answered, for assertions; without passwords and tokens."""

    at: datetime
    method: str
    path: str
    body: str
    status: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What a desk says, and under which status."""

    content: Any
    status: int = 200


Answer = Callable[[ApiRequest, re.Match[str]], Reply]


class Carrier:
    """Shiprocket on a desk: `handle` is its API, the public parts are what its control API offers. Thread-safe."""

    def __init__(
        self, account: Account | None = None, *, clock: Clock | None = None, sender: Sender = send_over_http
    ) -> None:
        self.account = account or Account()
        self.switches = Switches()
        self.clock = VirtualClock(clock or SystemClock())
        self.webhooks = Webhooks(sender)
        self.faults = Faults()
        self.books = Books(self.account, self.switches, self.clock)
        self.tokens = Tokens(self.account, self.switches, self.clock)
        self.journeys = Journeys(self.books, self._tell)
        self.aftercare = AftercareDesk(self.books)
        self.dispatch = DispatchDesk(self.books)
        self.lock = threading.RLock()
        """Whoever touches books or journeys from outside holds it."""
        self._requests: deque[RecordedRequest] = deque(maxlen=_REMEMBERED_REQUESTS)
        self._routes = [(method, re.compile(BASE + pattern), answer) for method, pattern, answer in _table(self)]

    def handle(self, request: ApiRequest) -> ApiResponse:
        """Answer one request. Raises AnswerLost when a fault says that the answer gets lost after the work."""
        fault = self.faults.strike(request.method, request.path)
        if fault is Fault.TOKEN_EXPIRED:
            self.tokens.expire_all()
        response = _FAULTY.get(fault) if fault else None
        if response is None:
            with self.lock:
                response = self._answer(request, empty_urls=fault is Fault.EMPTY_URLS)
        self._record(request, response)
        if fault is Fault.ANSWER_LOST:
            raise AnswerLost
        return response

    def requests(self, *, method: str | None = None, path_part: str = "") -> list[RecordedRequest]:
        """The latest requests, oldest first."""
        return [
            each
            for each in list(self._requests)
            if path_part in each.path and (method is None or each.method == method)
        ]

    def _tell(self, parcel: Parcel) -> None:
        if parcel.awb is not None:
            self.webhooks.enqueue(webhook_body(self.books, parcel))

    def _answer(self, request: ApiRequest, *, empty_urls: bool) -> ApiResponse:
        try:
            if request.path != f"{BASE}/auth/login":
                self.tokens.check(request.headers.get("authorization"))
            reply = self._reply(request)
        except Refusal as refusal:
            return _json(refusal.body(), refusal.status)
        content = _without_urls(reply.content) if empty_urls else reply.content
        if self.switches.loose_types:
            content = self.books.loosener.spoil(content)
        return _json(content, reply.status)

    def _reply(self, request: ApiRequest) -> Reply:
        path = request.path.rstrip("/")
        wrong_verb = False
        for method, pattern, answer in self._routes:
            match = pattern.fullmatch(path)
            if match is not None and method == request.method:
                return answer(request, match)
            wrong_verb = wrong_verb or match is not None
        if wrong_verb:
            raise Refusal("405 Method Not Allowed", status=405)
        raise not_found()

    def _record(self, request: ApiRequest, response: ApiResponse) -> None:
        secret = request.path.endswith("/auth/login")
        body = "" if secret else request.body.decode("utf-8", "replace")
        self._requests.append(RecordedRequest(self.clock.now(), request.method, request.path, body, response.status))


def _table(carrier: Carrier) -> list[tuple[str, str, Answer]]:
    return [*_account_routes(carrier), *_order_routes(carrier), *_parcel_routes(carrier)]


def _account_routes(carrier: Carrier) -> list[tuple[str, str, Answer]]:
    account = AccountDesk(carrier.books)
    return [
        ("POST", r"/auth/login", lambda r, _: Reply(carrier.tokens.log_in(_body(r)))),
        ("POST", r"/auth/logout", lambda r, _: Reply(carrier.tokens.log_out(r.headers.get("authorization")))),
        ("GET", r"/settings/company/pickup", lambda *_: Reply(account.locations())),
        ("POST", r"/settings/company/addpickup", lambda r, _: Reply(account.add_location(_body(r)))),
        ("GET", r"/account/details/wallet-balance", lambda *_: Reply(account.wallet())),
        ("GET", r"/account/details/statement", lambda *_: Reply(account.statement())),
        ("GET", r"/billing/discrepancy", lambda *_: Reply(account.discrepancies())),
    ]


def _order_routes(carrier: Carrier) -> list[tuple[str, str, Answer]]:
    orders, aftercare = OrderDesk(carrier.books), carrier.aftercare

    def cancelled(request: ApiRequest, _: re.Match[str]) -> Reply:
        message = aftercare.cancel_orders(_body(request))
        status = carrier.switches.cancel_status
        return Reply(None if status == 204 else message, status)

    def address_changed(request: ApiRequest, _: re.Match[str]) -> Reply:
        orders.update_address(_body(request))
        return Reply(None, 202)

    return [
        ("POST", r"/orders/create/adhoc", lambda r, _: Reply(orders.create(_body(r)))),
        ("POST", r"/orders/create/return", lambda r, _: Reply(orders.create_return(_body(r)))),
        ("POST", r"/orders/update/adhoc", lambda r, _: Reply(orders.update(_body(r)))),
        ("POST", r"/orders/address/update", address_changed),
        ("POST", r"/orders/cancel", cancelled),
        ("POST", r"/orders/cancel/shipment/awbs", lambda r, _: Reply(aftercare.cancel_awbs(_body(r)))),
        ("GET", r"/orders/show/([^/]+)", lambda _, match: Reply(_seen(carrier, orders.show, match[1]))),
        ("GET", r"/orders", lambda r, _: Reply(_listed(carrier, orders, r.query))),
        ("GET", r"/shipments", lambda *_: Reply(orders.shipments())),
        ("GET", r"/shipments/([^/]+)", lambda _, match: Reply(orders.shipment(match[1]))),
        ("GET", r"/ndr/all", lambda *_: Reply(aftercare.all_ndr())),
        ("GET", r"/ndr/([^/]+)", lambda _, match: Reply(aftercare.one_ndr(unquote(match[1])))),
        ("POST", r"/ndr/([^/]+)/action", lambda r, match: Reply(aftercare.act(unquote(match[1]), _body(r)), 202)),
    ]


def _parcel_routes(carrier: Carrier) -> list[tuple[str, str, Answer]]:
    dispatch, tracking = carrier.dispatch, TrackingDesk(carrier.books)
    return [
        (
            "GET",
            r"/courier/(?:serviceability|ratingserviceability)",
            lambda r, _: Reply(_serviceable(carrier, r.query)),
        ),
        ("POST", r"/courier/assign/awb", lambda r, _: Reply(dispatch.assign(_body(r)))),
        ("POST", r"/courier/generate/pickup", lambda r, _: Reply(dispatch.pickup(_body(r)))),
        ("POST", r"/courier/generate/label", lambda r, _: Reply(dispatch.label(_body(r)))),
        ("POST", r"/courier/generate/label-invoice", lambda r, _: Reply(dispatch.label_and_invoice(_body(r)))),
        ("POST", r"/manifests/generate", lambda r, _: Reply(dispatch.manifest(_body(r)))),
        ("POST", r"/manifests/print", lambda r, _: Reply(dispatch.print_manifest(_body(r)))),
        ("POST", r"/orders/print/invoice", lambda r, _: Reply(dispatch.invoice(_body(r)))),
        ("GET", r"/courier/track/awb/([^/]+)", lambda _, match: Reply(tracking.by_awb(unquote(match[1])))),
        ("GET", r"/courier/track/shipment/([^/]+)", lambda _, match: Reply(tracking.by_shipment(match[1]))),
        ("POST", r"/courier/track/awbs", lambda r, _: Reply(tracking.by_awbs(_body(r)))),
        ("GET", r"/courier/track", lambda r, _: Reply(tracking.by_order(r.query))),
    ]


def _seen(carrier: Carrier, show: Callable[[str], Any], order_id: str) -> Any:
    """Reading an order is when an asynchronous number shows itself."""
    _complete_pending(carrier)
    return show(order_id)


def _listed(carrier: Carrier, orders: OrderDesk, query: Mapping[str, str]) -> Any:
    _complete_pending(carrier)
    return orders.listing(query)


def _complete_pending(carrier: Carrier) -> None:
    while carrier.books.awaiting_awb:
        carrier.dispatch.complete_awb(carrier.books.awaiting_awb.pop(0))


def _serviceable(carrier: Carrier, query: Mapping[str, str]) -> Any:
    if query.get("order_id"):
        body = carrier.books.order(query["order_id"]).body
        grams, cod = validation.grams_of(body), body["payment_method"] == "COD"
    else:
        weight = validation.number(query.get("weight"))
        if weight is None or query.get("cod") not in {"0", "1"}:
            raise invalid(weight="Either order_id or cod and weight are required.")
        grams, cod = int(weight * 1_000), query["cod"] == "1"
    sides = [float(query.get(name) or 0) for name in ("length", "breadth", "height")]
    question = couriers.Question(
        pickup=query.get("pickup_postcode", ""),
        delivery=query.get("delivery_postcode", ""),
        grams=couriers.charged_grams(grams, sides),
        cod=cod,
    )
    return couriers.serviceability(question, carrier.switches.couriers, carrier.clock.now())


def _body(request: ApiRequest) -> dict[str, Any]:
    try:
        body = json.loads(request.body or b"{}")
    except ValueError:
        raise invalid(body="The body is not valid JSON.") from None
    if not isinstance(body, dict):
        raise broken()
    return body


def _json(content: Any, status: int) -> ApiResponse:
    return ApiResponse(status) if content is None else ApiResponse(status, json.dumps(content).encode())


def _without_urls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: "" if name.endswith("url") else _without_urls(inner) for name, inner in value.items()}
    return value


_FAULTY: dict[Fault, ApiResponse] = {
    Fault.HTML_502: ApiResponse(502, _HTML_PAGE, "text/html"),
    Fault.PHP_500: _json({"message": NON_OBJECT, "status_code": 500}, 500),
    Fault.RATE_LIMITED: _json({"message": "Too Many Attempts.", "status_code": 429}, 429),
    Fault.EMPTY: _json({}, 200),
    Fault.ERROR_IN_200: _json({"status": 404, "message": "Order does not exist!"}, 200),
}
