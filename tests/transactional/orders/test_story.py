"""The customer's story of an order: few words, each once, whatever the machinery did."""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.trade import TradeKit
from transactional.orders import service
from transactional.orders.service import AddedUnits, OrderStatus, UnitMove, WantedChange
from transactional.orders.story import PLACED, Entry, story
from transactional.orders.timeline import Audience, timeline
from transactional.shipping.service import ShipmentStatus

START = datetime(2026, 1, 15, tzinfo=UTC)


def tell(*happened: tuple[str, str] | tuple[str, str, dict[str, Any]]) -> list[str]:
    """What the customer reads of entries that happened an hour apart."""
    entries = [
        Entry(START + timedelta(hours=hour), kind, what, *more, actor="user:7", reason="between us")
        for hour, (kind, what, *more) in enumerate(happened)
    ]
    told = story(entries)
    assert all(entry.actor is None and entry.reason is None for entry in told)
    return [entry.what for entry in told]


def step(status: str, before: str = "x") -> tuple[str, str, dict[str, Any]]:
    return "status", status, {"from": before}


def scan(status: str, number: str = "AWB1") -> tuple[str, str, dict[str, Any]]:
    return "parcel", status, {"carrier": "c", "tracking_number": number, "location": "Pune", "activity": "BAG RCVD"}


def test_a_usual_order_reads_like_a_story() -> None:
    assert tell(
        ("status", "awaiting_payment"),
        step("paid"),
        ("payment", "authorized"),
        ("document", "invoice", {"number": "INV-1"}),
        step("packed"),
        ("parcel", "created"),
        *(scan(status) for status in ("awb_assigned", "pickup_scheduled", "picked_up", "scan")),
        ("units", "shipped"),
        step("shipped"),
        *(scan(status) for status in ("in_transit", "in_transit", "out_for_delivery", "out_for_delivery")),
        scan("undelivered"),
        scan("out_for_delivery"),
        scan("delivered"),
        ("units", "delivered"),
        step("delivered"),
        ("units", "returned"),
        ("decision", "returned"),
        ("refund", "ordered"),
        ("refund", "failed"),
        ("refund", "paid_back"),
    ) == [
        PLACED,
        "paid",
        "invoice",
        "packed",
        "shipped",
        "out_for_delivery",
        "undelivered",
        "out_for_delivery",
        "delivered",
        "returned",
        "ordered",
        "paid_back",
    ]


def test_two_parcels_are_two_threads() -> None:
    assert tell(scan("out_for_delivery", "A"), scan("out_for_delivery", "B"), scan("out_for_delivery", "A")) == [
        "out_for_delivery",
        "out_for_delivery",
    ]


def test_what_the_customer_sends_back_is_told_in_three_steps() -> None:
    way = ("created", "awb_assigned", "pickup_scheduled", "picked_up", "in_transit", "out_for_delivery", "delivered")
    back = [("return_parcel", what, {"tracking_number": "R1"}) for what in way]
    assert tell(*back) == ["pickup_scheduled", "picked_up", "delivered"]


def test_an_order_that_was_changed_is_paid_and_packed_once() -> None:
    changed = (step("modifying"), step("paid"), step("packed"))
    assert tell(step("paid"), step("packed"), *changed, step("shipped")) == ["paid", "packed", "shipped"]


def test_an_extra_payment_is_told_the_order_s_own_is_not_told_twice() -> None:
    entries = [
        Entry(START, "status", "paid", {"from": "awaiting_payment"}),
        Entry(START, "payment", "captured", {"amount_minor": 100}),
        Entry(START + timedelta(days=1), "payment", "captured", {"amount_minor": 5}),
    ]
    assert [(entry.kind, entry.details) for entry in story(entries)] == [
        ("status", {}),
        ("payment", {"amount_minor": 5}),
    ]


def test_a_carrier_s_words_stay_in_the_house() -> None:
    (told,) = story([Entry(START, *scan("out_for_delivery"))])
    assert told.details == {"carrier": "c", "tracking_number": "AWB1", "location": "Pune"}


@given(
    st.lists(
        st.one_of(
            st.sampled_from(list(OrderStatus)).map(step),
            st.sampled_from(list(ShipmentStatus)).map(scan),
            st.sampled_from(list(UnitMove)).map(lambda move: ("units", str(move))),
            st.sampled_from(["authorized", "captured", "failed"]).map(lambda what: ("payment", what)),
            st.just(("decision", "returned")),
        ),
        max_size=30,
    )
)
def test_nothing_internal_is_ever_told(happened: list[Any]) -> None:
    told = tell(*happened)
    internal = {"modifying", "draft", "awaiting_payment", "awb_assigned", "scan", "in_transit", "authorized"}
    assert not internal & set(told)


def test_a_real_order_from_the_shop(kit: TradeKit) -> None:
    cup, card = kit.variant("CUP", price=50_000, stock=9), kit.variant("CARD", price=40_000, stock=9)
    order_id = kit.buy({cup: 2})
    line = kit.lines(order_id)[0].id
    wanted = WantedChange(remove={line: 1}, add=[AddedUnits(card, 1)])

    def change(session) -> int:  # type: ignore[no-untyped-def]
        draft = service.draft_change(
            session, order_id=order_id, wanted=wanted, actor="user:7", reason="secret", now=kit.now
        )
        return service.apply_change(session, change_id=draft.id, actor="user:7", now=kit.now).id

    kit.run(change)
    kit.deliver(order_id)
    with kit.database.read() as session:
        mine = timeline(session, order_id, audience=Audience.CUSTOMER)
        staff = timeline(session, order_id, audience=Audience.STAFF)
    steps = [entry.what for entry in mine if entry.kind == "status"]
    assert steps == [PLACED, "paid", "packed", "shipped", "delivered"]
    assert [entry.what for entry in mine if entry.kind == "change"] == ["proposed", "applied"]
    assert "modifying" in [entry.what for entry in staff]
    assert len(staff) > len(mine)
