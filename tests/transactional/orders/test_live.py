"""Live tracking: what a stream says, and that it holds nothing while it waits."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff, register
from transactional.accounts import service as accounts
from transactional.core.errors import Unavailable
from transactional.orders import live, routes, service
from transactional.orders.models import Order, OrderStatus, OrderStatusChange, PaymentMode
from transactional.orders.stages import Stage, progress
from transactional.shipping.service import shipments_of

NEVER_SEEN = live.Seen()


def events(chunks: list[bytes]) -> list[dict[str, Any]]:
    """The bodies of the events among what was sent."""
    parts = [chunk.decode() for chunk in chunks]
    return [json.loads(part.split("data: ", 1)[1]) for part in parts if part.startswith("event: order")]


def follow(
    kit: TradeKit,
    order_id: int,
    *,
    seen: live.Seen = NEVER_SEEN,
    pace: live.Pace,
    meanwhile: Callable[[int], object] = lambda _second: None,
) -> list[bytes]:
    """All that a stream sends; `meanwhile` happens while it sleeps."""
    streams, chunks, slept = live.Streams(), [], [0]

    async def sleep(seconds: int) -> None:
        pool = kit.database.engine.pool
        assert pool.checkedout() == 0, "a waiting stream holds no connection"  # type: ignore[attr-defined]
        slept[0] += seconds
        meanwhile(slept[0])

    async def read() -> None:
        streams.enter()
        stream = live.stream(kit.database, order_id, seen, pace=pace, streams=streams, sleep=sleep)
        chunks.extend([chunk async for chunk in stream])

    asyncio.run(read())
    assert streams.open == 0
    return chunks


def test_a_stream_tells_each_step_once_and_ends_with_the_order(any_kit: TradeKit) -> None:
    kit = any_kit
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2}, pay=False)

    def meanwhile(second: int) -> None:
        if second == 2:
            kit.pay(order_id)
        elif second == 5:
            kit.ship(order_id)
        elif second == 7:
            kit.run(lambda s: service.deliver(s, order_id=order_id, actor="t", now=kit.now).id)

    chunks = follow(kit, order_id, pace=live.Pace(life=60, heartbeat_every=4), meanwhile=meanwhile)
    assert chunks[0] == b"retry: 3000\n\n"
    told = events(chunks)
    assert [(event["status"], event["stage"]) for event in told] == [
        ("awaiting_payment", None),
        ("paid", "ordered"),
        ("shipped", "shipped"),
        ("delivered", "delivered"),
    ]
    assert told[-1]["parcels"][0]["status"] == "delivered"
    assert b": still here\n\n" in chunks
    assert len(chunks) < 10, "an order that is over ends its stream"


def test_a_client_continues_where_it_was(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 2})
    with kit.database.read() as session:
        seen = live.describe(session, order_id).seen
    assert live.Seen.parse(str(seen)) == seen
    assert events(follow(kit, order_id, seen=seen, pace=live.Pace(life=3))) == []
    for nonsense in (None, "", "7", "a-b-c", "1-2-3; DROP", "9" * 40 + "-1-00000000"):
        assert live.Seen.parse(nonsense) == live.Seen()
        assert len(events(follow(kit, order_id, seen=live.Seen.parse(nonsense), pace=live.Pace(life=3)))) == 1


def test_a_partial_parcel_is_news_although_the_status_stays(kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    order_id = kit.buy({cup: 3})
    line = kit.lines(order_id)[0].id
    kit.run(lambda s: service.pack(s, order_id=order_id, actor="t", now=kit.now).id)

    def send_one(second: int) -> None:
        if second < 3:
            kit.run(lambda s: service.ship_parcel(s, order_id=order_id, units={line: 1}, actor="t", now=kit.now).id)

    told = events(follow(kit, order_id, pace=live.Pace(life=5), meanwhile=send_one))
    assert [event["status"] for event in told] == ["packed", "partially_shipped", "partially_shipped"]


def test_a_stream_lives_as_long_as_it_may(kit: TradeKit) -> None:
    order_id = kit.buy({kit.variant("CUP", stock=9): 1})
    chunks = follow(kit, order_id, pace=live.Pace(life=40, heartbeat_every=10))
    assert chunks.count(b": still here\n\n") == 3


def test_too_many_watchers_are_sent_to_the_order_itself() -> None:
    streams = live.Streams(most=1)
    streams.enter()
    with pytest.raises(Unavailable, match="too many"):
        streams.enter()
    streams.leave()
    streams.enter()


@pytest.fixture
def short(client: TestClient) -> TestClient:
    """A client whose streams end at once."""

    async def pace() -> live.Pace:
        return live.Pace(life=1, look_every=1)

    client.app.dependency_overrides[routes.stream_pace] = pace  # type: ignore[attr-defined]
    return client


@pytest.mark.slow
def test_only_the_owner_follows_an_order(short: TestClient, kit: TradeKit) -> None:
    cup = kit.variant("CUP", stock=9)
    user_id = register(kit.database)
    register(kit.database, "else@example.com")
    make_staff(kit.database, "boss@example.com")
    with kit.database.read() as session:
        asha = accounts.customer_of_user(session, user_id)
        assert asha is not None
        customer_id = asha.id
    order = kit.order(kit.buy({cup: 1}, customer_id=customer_id))
    url = f"/v1/orders/{order.order_number}/events"
    answer = short.get(url, headers=log_in(short))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert '"status":"paid"' in answer.text
    for stranger in ({}, log_in(short, "else@example.com"), log_in(short, "boss@example.com")):
        assert short.get(url, headers=stranger).status_code == 404
    assert short.get(f"/v1/orders/{order.public_id}/events").status_code == 404, "not a guest's order"
    guests = kit.order(kit.buy({cup: 1}))
    assert short.get(f"/v1/orders/{guests.public_id}/events").status_code == 200
    assert short.get(f"/v1/orders/{guests.order_number}/events").status_code == 404


def test_who_has_seen_the_end_does_not_come_again(short: TestClient, kit: TradeKit) -> None:
    order_id = kit.buy({kit.variant("CUP", stock=9): 1})
    kit.deliver(order_id)
    url = f"/v1/orders/{kit.order(order_id).public_id}/events"
    last = short.get(url)
    event_id = last.text.split("id: ", 1)[1].split("\n", 1)[0]
    assert short.get(url, headers={"Last-Event-ID": event_id}).status_code == 204
    assert short.get(url, headers={"Last-Event-ID": "0-0-00000000"}).status_code == 200
    assert short.get(url, headers={"Last-Event-ID": "x" * 99}).status_code == 422


@pytest.mark.slow
def test_the_view_has_an_etag_that_changes_with_the_order(kit: TradeKit, tmp_path: Path) -> None:
    client = make_client(kit.database, tmp_path)
    order_id = kit.buy({kit.variant("CUP", stock=9): 1})
    url = f"/v1/orders/{kit.order(order_id).public_id}"
    first = client.get(url)
    assert first.headers["cache-control"] == "private, no-cache"
    known = {"If-None-Match": first.headers["etag"]}
    again = client.get(url, headers=known)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert client.get(url, headers={"If-None-Match": f'"else", W/{first.headers["etag"]}'}).status_code == 304
    kit.ship(order_id)
    changed = client.get(url, headers=known)
    assert (changed.status_code, changed.json()["stage"]) == (200, "shipped")


def steps(*statuses: OrderStatus) -> list[OrderStatusChange]:
    """A history of these, a day apart."""
    return [
        OrderStatusChange(to_status=status, occurred_at=datetime(2026, 1, 1 + day, tzinfo=UTC))
        for day, status in enumerate(statuses)
    ]


S = OrderStatus


@pytest.mark.parametrize(
    ("mode", "statuses", "stage", "ended"),
    [
        (PaymentMode.ONLINE, [S.AWAITING_PAYMENT], None, None),
        (PaymentMode.ON_DELIVERY, [S.AWAITING_PAYMENT], Stage.ORDERED, None),
        (PaymentMode.ONLINE, [S.AWAITING_PAYMENT, S.PAID, S.PACKED], Stage.PACKED, None),
        (PaymentMode.ONLINE, [S.AWAITING_PAYMENT, S.PAID, S.PACKED, S.MODIFYING], Stage.ORDERED, None),
        (PaymentMode.ONLINE, [S.PAID, S.PACKED, S.PARTIALLY_SHIPPED], Stage.SHIPPED, None),
        (PaymentMode.ONLINE, [S.PAID, S.PACKED, S.SHIPPED, S.PARTIALLY_DELIVERED], Stage.SHIPPED, None),
        (PaymentMode.ONLINE, [S.PAID, S.PACKED, S.SHIPPED, S.DELIVERED], Stage.DELIVERED, None),
        (PaymentMode.ONLINE, [S.PAID, S.MODIFYING, S.AWAITING_EXTRA_PAYMENT], Stage.ORDERED, None),
        (PaymentMode.ONLINE, [S.PAID, S.PACKED, S.CANCELLED], Stage.PACKED, S.CANCELLED),
        (PaymentMode.ONLINE, [S.AWAITING_PAYMENT, S.EXPIRED], None, S.EXPIRED),
    ],
)
def test_the_four_stages_follow_from_the_history(
    mode: PaymentMode, statuses: list[OrderStatus], stage: Stage | None, ended: OrderStatus | None
) -> None:
    order = Order(status=statuses[-1], payment_mode=mode)
    so_far = progress(order, steps(*statuses))
    assert (so_far.stage, so_far.ended) == (stage, ended)
    assert list(so_far.reached) == list(Stage)[: len(so_far.reached)], "no stage is skipped"


def test_a_shipment_of_the_order_is_what_customers_see(kit: TradeKit) -> None:
    order_id = kit.buy({kit.variant("CUP", stock=9): 1})
    kit.ship(order_id)
    with kit.database.read() as session:
        (parcel,) = shipments_of(session, order_id)
        body = live.describe(session, order_id).body
    assert body["parcels"][0]["carrier"] == parcel.carrier
