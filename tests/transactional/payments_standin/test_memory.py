"""Books that outlast a restart: what was paid stays paid, and no id is given twice."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from pathlib import Path

import pytest

from transactional.commands import CommandError
from transactional.core.clock import ManualClock
from transactional.payments_standin import cli
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.gateway import ApiRequest, Gateway
from transactional.payments_standin.memory import Unreadable
from transactional.payments_standin.server import Keeper

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}


def ask(gateway: Gateway, method: str, path: str, key: str | None = None, **body: object) -> dict:
    headers = AUTH | ({"x-refund-idempotency": key} if key else {})
    answer = gateway.handle(ApiRequest(method, path, headers=headers, body=json.dumps(body).encode() if body else b""))
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def order(gateway: Gateway, receipt: str = "R-1") -> str:
    return ask(gateway, "POST", "/v1/orders", amount=50_000, currency="INR", receipt=receipt)["id"]


@pytest.fixture
def books(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "books.json"


def started(clock: ManualClock, books: Path) -> tuple[Gateway, Keeper]:
    gateway = Gateway(clock=clock)
    return gateway, Keeper(gateway, books)


def test_a_restart_forgets_nothing(clock: ManualClock, books: Path) -> None:
    gateway, keeper = started(clock, books)
    paid = gateway.pay(order(gateway)).payment_id
    refund = ask(gateway, "POST", f"/v1/payments/{paid}/refund", key="refund-0001", amount=20_000)
    silent = gateway.pay(order(gateway, "R-2"), outcome=Outcome.SILENT).payment_id
    delayed = gateway.pay(order(gateway, "R-3"), delay=timedelta(hours=2)).payment_id
    plan = ask(
        gateway, "POST", "/v1/plans", period="monthly", interval=1, item={"name": "x", "amount": 100, "currency": "INR"}
    )
    subscription = ask(gateway, "POST", "/v1/subscriptions", plan_id=plan["id"], total_count=3)["id"]
    gateway.authorize_subscription(subscription)
    gateway.advance(timedelta(minutes=5))
    keeper.keep()
    before = {path: ask(gateway, "GET", path) for path in ("/v1/orders", "/v1/payments", "/v1/refunds", "/v1/plans")}

    again, _ = started(clock, books)
    assert {path: ask(again, "GET", path) for path in before} == before
    assert again.clock.now() == gateway.clock.now()
    assert ask(again, "POST", f"/v1/payments/{paid}/refund", key="refund-0001", amount=20_000)["id"] == refund["id"]
    again.advance(timedelta(minutes=5))
    assert ask(again, "GET", f"/v1/payments/{silent}")["status"] == "failed"
    again.advance(timedelta(hours=2))
    assert ask(again, "GET", f"/v1/payments/{delayed}")["status"] == "captured"
    again.advance(timedelta(days=32))
    assert ask(again, "GET", f"/v1/subscriptions/{subscription}")["paid_count"] == 2


def test_no_id_is_given_twice_even_when_the_last_writes_were_lost(clock: ManualClock, books: Path) -> None:
    seen: set[str] = set()
    for _ in range(3):
        gateway, keeper = started(clock, books)
        kept = {order(gateway) for _ in range(5)}
        keeper.keep()
        lost = {order(gateway) for _ in range(5)}
        assert not seen & (kept | lost)
        seen |= kept | lost
    assert len(seen) == 30


def test_the_first_start_gives_the_same_ids_as_a_forgetful_gateway(clock: ManualClock, books: Path) -> None:
    assert order(started(clock, books)[0]) == order(Gateway(clock=clock))


def test_nothing_is_written_while_nothing_changes(clock: ManualClock, books: Path) -> None:
    gateway, keeper = started(clock, books)
    order(gateway)
    keeper.keep()
    written = books.stat().st_mtime_ns
    ask(gateway, "GET", "/v1/orders")
    keeper.keep()
    assert books.stat().st_mtime_ns == written


def test_a_foreign_file_is_refused_and_kept(clock: ManualClock, books: Path) -> None:
    books.parent.mkdir()
    books.write_text("my diary")
    with pytest.raises(Unreadable):
        started(clock, books)
    parser = ArgumentParser()
    cli.add_arguments(parser)
    with pytest.raises(CommandError, match="--books"):
        cli.run(parser.parse_args(["--books", str(books)]))
    assert books.read_text() == "my diary"
