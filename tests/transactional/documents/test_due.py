"""What asks for papers, and what does not."""

from sqlalchemy import select

from tests.support.trade import TradeKit
from tests.transactional.documents.office import Office
from transactional import wiring
from transactional.core import outbox
from transactional.core.models import OutboxMessage
from transactional.documents import service as documents
from transactional.documents.events import SETTLE
from transactional.orders import service as orders

wiring.wire()


def due(kit: TradeKit, order_id: int) -> bool:
    with kit.database.read() as session:
        return documents.may_be_due(session, order_id)


def test_papers_are_due_from_the_first_parcel_until_they_are_written(kit: TradeKit, office: Office) -> None:
    order_id = office.buy({kit.variant("MUG", stock=9): 2})
    assert not due(kit, order_id)
    kit.ship(order_id)
    assert due(kit, order_id)
    office.settle(order_id)
    assert not due(kit, order_id)
    kit.run(lambda s: orders.deliver(s, order_id=order_id, actor="test", now=kit.now))
    assert not due(kit, order_id)
    office.give_back(order_id, {kit.lines(order_id)[0].id: 1}, cause="return:1")
    assert due(kit, order_id)


def test_what_was_called_off_before_it_left_needs_no_paper(kit: TradeKit, office: Office) -> None:
    order_id = office.buy({kit.variant("MUG", stock=9): 2})
    kit.run(lambda s: orders.cancel(s, order_id=order_id, actor="test", reason="test", now=kit.now))
    assert not due(kit, order_id)
    assert not due(kit, 99_999)


def test_an_arrival_asks_for_nothing_that_is_written(kit: TradeKit) -> None:
    order_id = kit.buy({kit.variant("MUG", stock=9): 2})
    kit.ship(order_id)
    outbox.drain(kit.database)
    kit.run(lambda s: orders.deliver(s, order_id=order_id, actor="test", now=kit.now))
    outbox.drain(kit.database)
    with kit.database.read() as session:
        asked = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == SETTLE)).all()
        assert len(documents.documents_of(session, order_id)) == 1
    assert len(asked) == 1
