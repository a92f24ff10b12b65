"""Low stock is told once a crossing."""

from typing import Any

import pytest

import transactional.inventory.events  # noqa: F401  registers the handler
from tests.support.trade import TradeKit
from transactional.core import outbox
from transactional.core.models import OutboxMessage
from transactional.inventory import jobs, service
from transactional.inventory.models import StockAlert, StockLevel


@pytest.fixture
def cup(kit: TradeKit) -> int:
    """Ten cups, to be told of below four."""
    variant = kit.variant("CUP", stock=10)
    set_mark(kit, variant, 4)
    return variant


def set_mark(kit: TradeKit, variant: int, mark: int) -> None:
    """Say when to warn."""
    kit.run(
        lambda s: (
            service.set_rules(
                s,
                variant_id=variant,
                location_id=service.default_location(s).id,
                now=kit.now,
                low_stock_level=mark,
            ).id
        )
    )


def alerts(kit: TradeKit) -> list[tuple[int, bool]]:
    """Units at the crossing and whether it is open, oldest first."""
    with kit.database.read() as session:
        found = service.alerts(session, open_only=False)
    return [(alert.saleable, alert.closed_at is None) for alert in reversed(found)]


def messages(kit: TradeKit, topic: str) -> list[dict[str, Any]]:
    """Payloads in the outbox."""
    with kit.database.read() as session:
        return [message.payload for message in session.query(OutboxMessage).filter_by(topic=topic)]


def test_one_alert_a_crossing_however_far_it_falls(kit: TradeKit, cup: int) -> None:
    kit.buy({cup: 6})
    assert alerts(kit) == [], "four are left: not below the mark"
    order = kit.buy({cup: 1})
    kit.buy({cup: 2})
    assert alerts(kit) == [(3, True)]
    kit.ship(order)
    assert alerts(kit) == [(3, True)], "shipping what was promised changes nothing that can be sold"
    assert len(messages(kit, service.LOW_STOCK)) == 1


def test_it_closes_when_there_is_enough_and_opens_at_the_next_crossing(kit: TradeKit, cup: int) -> None:
    order = kit.buy({cup: 8})
    kit.run(lambda s: service.release_units(s, order_id=order, units={cup: 1}, now=kit.now))
    assert alerts(kit) == [(2, True)], "three: still below"
    kit.run(lambda s: service.release_units(s, order_id=order, units={cup: 1}, now=kit.now))
    assert alerts(kit) == [(2, False)]
    kit.buy({cup: 2})
    assert alerts(kit) == [(2, False), (2, True)]
    kit.run(lambda s: service.restock(s, variant_id=cup, quantity=5, now=kit.now))
    assert alerts(kit) == [(2, False), (2, False)]
    assert len(messages(kit, service.LOW_STOCK)) == 2


def test_a_refused_checkout_raises_no_alert(kit: TradeKit, cup: int) -> None:
    lamp = kit.variant("ZLAMP", stock=0)
    with pytest.raises(Exception, match="ZLAMP"):
        kit.buy({cup: 8, lamp: 1})
    assert alerts(kit) == []


def test_a_new_mark_counts_at_once(kit: TradeKit, cup: int) -> None:
    set_mark(kit, cup, 11)
    assert alerts(kit) == [(10, True)]
    set_mark(kit, cup, 10)
    assert alerts(kit) == [(10, False)]
    set_mark(kit, cup, 0)
    kit.buy({cup: 10})
    assert alerts(kit) == [(10, False)], "without a mark nobody asked"


def test_the_staff_is_mailed_once(kit: TradeKit, cup: int) -> None:
    kit.buy({cup: 7})
    handler = outbox._handlers[service.LOW_STOCK]
    for _ in range(2):
        handler(kit.database, messages(kit, service.LOW_STOCK)[0])
    [mail] = messages(kit, "mail.send")
    assert (mail["to"], mail["subject"]) == ("stock@localhost", "Low stock: CUP")
    assert "3 units of CUP are left to sell at Main store room" in mail["body"]


def test_the_job_settles_what_was_written_past_the_services_once(kit: TradeKit, cup: int) -> None:
    lamp = kit.variant("LAMP", stock=10)
    set_mark(kit, lamp, 5)
    kit.buy({lamp: 6})

    def past_the_services(mark: int, *, low: bool) -> None:
        kit.run(
            lambda s: (
                s.query(StockLevel)
                .filter(StockLevel.variant_id == (cup if low else lamp))
                .update({"low_stock_level": mark})
            )
        )

    past_the_services(99, low=True)
    past_the_services(1, low=False)
    assert jobs.refresh_alerts(kit.database) == 2
    assert alerts(kit) == [(4, False), (10, True)]
    assert jobs.refresh_alerts(kit.database) == 0
    assert kit.count(StockAlert) == 2
