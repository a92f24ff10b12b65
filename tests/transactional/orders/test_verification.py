"""The nightly check: what nobody wrote down is found, told once, and forgotten when it is mended."""

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.support.trade import TradeKit
from transactional.__main__ import main
from transactional.orders import jobs, service
from transactional.orders.models import OrderDifference
from transactional.orders.verification import open_differences, verify_order, verify_orders


def tamper(kit: TradeKit, statement: str) -> None:
    """Somebody writes past the services."""
    kit.run(lambda s: s.execute(text(statement)) and None)


def lived(kit: TradeKit) -> int:
    """An order with a life: parts called off, sent in parcels, returned."""
    cup = kit.variant("CUP", price=10_001, stock=9)
    order_id = kit.buy({cup: 5})
    line = kit.lines(order_id)[0].id
    kit.run(
        lambda s: service.cancel_units(s, order_id=order_id, units={line: 1}, actor="t", reason="r", now=kit.now).id
    )
    kit.deliver(order_id)
    kit.return_units(line, 2)
    return order_id


@pytest.mark.slow
@pytest.mark.parametrize(
    ("statement", "field"),
    [
        ("UPDATE orders SET status = 'paid'", "status"),
        ("UPDATE orders SET delivered_at = NULL", "delivered_at"),
        ("UPDATE orders SET paid_at = '2020-01-01 00:00:00.000000'", "paid_at"),
        ("UPDATE orders SET shipping_minor = 0, total_minor = total_minor - shipping_minor", "shipping_minor"),
        ("UPDATE order_lines SET shipped_quantity = 2, delivered_quantity = 2", "line 1 shipped_quantity"),
        ("UPDATE order_lines SET refunded_minor = refunded_minor + 1", "line 1 refunded_minor"),
        ("UPDATE order_lines SET net_minor = net_minor - 1, line_discount_minor = 1", "line 1 net_minor"),
        ("UPDATE order_lines SET title = 'Another gift'", "line 1 title"),
        ("UPDATE order_unit_moves SET refund_minor = refund_minor - 1 WHERE kind = 'returned'", "move 4"),
        ("UPDATE order_unit_moves SET first_unit = 0 WHERE kind = 'returned'", "move 4"),
        ("DELETE FROM order_unit_moves WHERE kind = 'shipped'", "line 1 shipped_quantity"),
        ("DELETE FROM order_refund_decisions", "decisions units_minor"),
        ("UPDATE order_status_changes SET to_status = 'delivered' WHERE to_status = 'packed'", "step 3"),
        ("DELETE FROM order_status_changes WHERE to_status = 'packed'", "step 3"),
    ],
)
def test_whatever_is_not_written_down_is_found(kit: TradeKit, statement: str, field: str) -> None:
    order_id = lived(kit)
    with kit.database.read() as session:
        assert verify_order(session, order_id) == []
    tamper(kit, statement)
    with kit.database.read() as session:
        found = verify_order(session, order_id) or []
    assert field in {difference.field for difference in found}


def test_an_alert_is_written_once_and_resolved_when_the_order_is_mended(kit: TradeKit) -> None:
    order_id = lived(kit)
    assert verify_orders(kit.database).differing == []
    tamper(kit, "UPDATE order_lines SET refunded_minor = refunded_minor + 1")
    for _ in range(2):
        assert jobs.verify_recent_orders(kit.database) == 1
    with kit.database.read() as session:
        (alert,) = open_differences(session)
    assert (alert.order_id, alert.field) == (order_id, "line 1 refunded_minor")
    assert int(alert.found) == int(alert.expected) + 1
    tamper(kit, "UPDATE order_lines SET refunded_minor = refunded_minor - 1")
    assert jobs.verify_recent_orders(kit.database) == 0
    with kit.database.read() as session:
        assert open_differences(session) == []
    assert kit.count(OrderDifference) == 1, "what was wrong stays on record"


def test_histories_taken_in_from_elsewhere_are_told_apart(kit: TradeKit) -> None:
    lived(kit)
    tamper(kit, "UPDATE order_status_changes SET stamps = NULL")
    tamper(kit, "UPDATE order_lines SET refunded_minor = 0")
    result = verify_orders(kit.database)
    assert (result.checked, result.taken_in, result.differing) == (0, 1, [])


@pytest.mark.slow
def test_the_command_tells_and_fails_where_an_order_differs(
    kit: TradeKit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from transactional.settings import get_settings

    monkeypatch.setenv("DATABASE_URL", str(kit.database.engine.url))
    monkeypatch.setenv("MLT_VAR", str(tmp_path))
    get_settings.cache_clear()
    try:
        lived(kit)
        assert main(["verify-orders"]) == 0
        assert "1 orders compared" in capsys.readouterr().out
        tamper(kit, "UPDATE order_lines SET refunded_minor = refunded_minor + 1")
        assert main(["verify-orders"]) == 1
        assert "refunded_minor should be" in capsys.readouterr().out
        assert main(["verify-orders", "--days", "1"]) == 0, "the order's last step is older than that"
    finally:
        get_settings.cache_clear()
