"""How many SQL statements a purchase takes. Counts, not times: what is added to the way of every order shows here."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from tests.support.keys import keyed
from tests.support.offers import offer, rule
from tests.support.trade import TradeKit
from tests.support.web import make_client
from tests.transactional.payments.till import ADDRESS, Till, open_till
from transactional import wiring
from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.uow import Database
from transactional.payments import service as payments
from transactional.payments_standin.bank import Outcome

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


class Counted:
    """Statements sent to the database, and what they were."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def note(self, _connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        """One more."""
        self.statements.append(" ".join(statement.split())[:120])


@contextmanager
def counted(database: Database) -> Iterator[Counted]:
    """Count while the block runs."""
    found = Counted()
    event.listen(database.engine, "before_cursor_execute", found.note)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", found.note)


@pytest.fixture
def till(pg_database: Database, clock: ManualClock) -> Iterator[Till]:
    wiring.wire()
    opened = open_till(pg_database, clock)
    with payments.gateway_in_use(opened.gateway):
        yield opened


@pytest.fixture
def client(till: Till, tmp_path: Path) -> Iterator[TestClient]:
    with make_client(till.database, tmp_path) as client:
        yield client


def buy(client: TestClient, till: Till, number: int) -> dict[str, list[str]]:
    """A guest's purchase; gives the statements of each request, and of the webhooks that come as well."""
    spent: dict[str, list[str]] = {}
    with counted(till.database) as found:
        lines = [{"variant_id": till.variant_id}]
        cart = client.post("/v1/carts", json={"lines": lines}, headers=keyed()).json()
    spent["cart"] = found.statements
    body = {"cart_id": cart["id"], "email": f"g{number}@example.com", "ship_to": ADDRESS, "start_payment": True}
    with counted(till.database) as found:
        placed = client.post("/v1/checkout", json=body, headers=keyed()).json()
    spent["checkout"] = found.statements
    paid = till.standin.pay(placed["payment"]["gateway_order_id"], outcome=Outcome.CAPTURED)
    with counted(till.database) as found:
        verified = client.post("/v1/payments/verify", json=paid.render()).json()
    assert verified["order_status"] == "paid"
    spent["verify"] = found.statements
    event_ = till.standin.deliveries.listing()[-1]
    headers = {"X-Razorpay-Signature": event_.signature, "X-Razorpay-Event-Id": event_.event_id}
    with counted(till.database) as found:
        assert client.post("/v1/webhooks/razorpay", content=event_.body, headers=headers).status_code == 200
    spent["webhook"] = found.statements
    return spent


def test_a_purchase_stays_within_its_round_trips(client: TestClient, till: Till) -> None:
    buy(client, till, 1)  # the first one makes the series of order numbers
    spent = buy(client, till, 2)
    # One question of the cart and one of checkout asks whether promotions have changed since they were read.
    bounds = {"cart": 9, "checkout": 20, "verify": 16, "webhook": 3}
    for request, bound in bounds.items():
        assert len(spent[request]) <= bound, "\n".join([request, *spent[request]])


def test_an_automatic_offer_costs_few_more(client: TestClient, till: Till) -> None:
    """Floors, the charge after the discount, the lines' ids and what was taken off them; no counter, no person."""
    kit = TradeKit(till.database)
    for percent in range(1, 21):
        offer(kit, rule("percentage", bp=percent))
    buy(client, till, 1)
    spent = buy(client, till, 2)
    bounds = {"cart": 11, "checkout": 24, "verify": 17, "webhook": 3}
    for request, bound in bounds.items():
        assert len(spent[request]) <= bound, "\n".join([request, *spent[request]])


def test_each_request_of_a_purchase_takes_one_trip_to_the_thread_pool(
    client: TestClient, till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A dependency that is not `async def`, or an answer that the framework checks once more, would be another trip."""
    trips: list[str] = []
    run_sync = anyio.to_thread.run_sync

    async def noted(function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        trips.append(repr(function)[:200])
        return await run_sync(function, *args, **options)

    monkeypatch.setattr(anyio.to_thread, "run_sync", noted)
    buy(client, till, 1)
    of_the_shopper = [trip for trip in trips if "webhook" not in trip.lower()]
    assert len(of_the_shopper) == 3, "\n".join(of_the_shopper)  # cart, checkout, verification


def test_a_backlog_is_worked_off_in_batches(till: Till) -> None:
    """Claiming and finishing cost the same for one message as for many."""
    handled: list[int] = []
    topic = "round-trips"
    outbox.handles(topic)(lambda _database, payload: handled.append(payload["number"]))
    now = till.clock.now()

    def publish(count: int) -> None:
        with till.database.unit_of_work(actor="test") as session:
            for number in range(count):
                outbox.publish(session, topic, {"number": number}, dedup_key=f"{topic}:{count}:{number}", now=now)

    try:
        outbox.drain(till.database)
        spent = []
        for count in (1, 25):
            publish(count)
            with counted(till.database) as found:
                assert outbox.drain(till.database) == count
            spent.append(len(found.statements))
    finally:
        outbox._handlers.pop(topic)
    assert spent[0] == spent[1] <= 7
