"""A change that frees some goods and promises others takes all of their levels in one pass, in the shop's order."""

import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import OperationalError

from tests.support.trade import TradeKit
from transactional.inventory.models import StockLevel
from transactional.orders import service
from transactional.orders.service import AddedUnits, WantedChange
from transactional.returns import service as returns

_ENOUGH = 20.0


def edit(kit: TradeKit, first: int, second: int) -> Callable[[], object]:
    """A customer wants the second variant instead of the first one."""
    order_id = kit.buy({first: 2})
    wanted = WantedChange(remove={kit.lines(order_id)[0].id: 1}, add=[AddedUnits(second, 1)])
    change_id = kit.run(
        lambda s: service.draft_change(s, order_id=order_id, wanted=wanted, actor="t", reason="r", now=kit.now).id
    )
    return lambda: kit.run(lambda s: service.apply_change(s, change_id=change_id, actor="t", now=kit.now).id)


def exchange(kit: TradeKit, first: int, second: int) -> Callable[[], object]:
    """A unit of the second variant comes back, one of the first goes out."""
    order_id = kit.buy({second: 1})
    kit.deliver(order_id)
    line_id = kit.lines(order_id)[0].id

    def ask(session) -> int:  # type: ignore[no-untyped-def]
        asked = returns.request_return(
            session,
            order_id=order_id,
            quantities={line_id: 1},
            reason="another one",
            window_days=14,
            now=kit.now,
            exchange_for=[AddedUnits(first, 1)],
        )
        returns.approve(session, return_id=asked.id, now=kit.now)
        return asked.id

    return_id = kit.run(ask)
    return lambda: kit.run(lambda s: returns.process(s, return_id=return_id, actor="t", now=kit.now).id)


@pytest.mark.postgres
@pytest.mark.parametrize("stage", [edit, exchange])
def test_whoever_waits_for_the_first_level_holds_no_later_one(
    pg_kit: TradeKit, stage: Callable[[TradeKit, int, int], Callable[[], object]]
) -> None:
    kit = pg_kit
    first, second = kit.variant("A", price=50_000, stock=9), kit.variant("B", price=40_000, stock=9)
    work = stage(kit, first, second)
    engine = kit.database.engine
    tried = threading.Event()

    def watch(_connection: object, _cursor: object, statement: str, *_more: object) -> None:
        if threading.current_thread() is worker and "stock_levels" in statement and "FOR UPDATE" in statement:
            tried.set()

    worker = threading.Thread(target=work)
    event.listen(engine, "before_cursor_execute", watch)
    try:
        with engine.begin() as other:
            other.execute(select(StockLevel.id).where(StockLevel.variant_id == first).with_for_update())
            worker.start()
            assert tried.wait(_ENOUGH), "all levels are locked before one is moved"
            _until_somebody_waits(engine)
            # Nobody has it: with NOWAIT a locked row would be an error.
            free = select(StockLevel.id).where(StockLevel.variant_id == second).with_for_update(nowait=True)
            try:
                assert other.scalar(free) is not None
            except OperationalError as error:
                raise AssertionError("the later level was taken first") from error
    finally:
        worker.join(_ENOUGH)
        event.remove(engine, "before_cursor_execute", watch)
    assert not worker.is_alive()
    kit.assert_sound()


def _until_somebody_waits(engine: Engine) -> None:
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for _ in range(100_000):
            if connection.scalar(waiting):
                return
    raise AssertionError("nobody waits for the level")
