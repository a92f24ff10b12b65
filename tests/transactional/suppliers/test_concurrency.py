"""Procurement by many hands at once, on PostgreSQL with committed data."""

from functools import partial

import pytest

from tests.support.parallel import at_once, failures, successes
from tests.transactional.suppliers.conftest import Buyer
from transactional.core.errors import Conflict, IllegalTransition
from transactional.inventory.service import ReorderPolicy
from transactional.suppliers import jobs, service
from transactional.suppliers.feed_files import Feed, FeedItem
from transactional.suppliers.models import PurchaseOrder, PurchaseOrderLine, PurchaseReceipt, SupplierFeed
from transactional.suppliers.service import Arrived, PurchaseStatus

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def test_parallel_deliveries_never_exceed_order_and_tolerance(pg_buyer: Buyer) -> None:
    cup = pg_buyer.kit.variant("CUP")
    supplier = pg_buyer.supplier(over_delivery_bp=1_000)
    order = pg_buyer.placed(supplier, {pg_buyer.article(supplier, cup): 20})
    line = pg_buyer.lines(order)[0].id
    outcomes = at_once([partial(pg_buyer.receive, order, Arrived(line, 3), key=f"dn-{n}") for n in range(24)])
    assert len(successes(outcomes)) == 7, "22 units may come"
    assert {type(error) for error in failures(outcomes)} == {Conflict}
    assert pg_buyer.kit.level(cup) == (21, 0)
    assert len(pg_buyer.movements(cup)) == pg_buyer.kit.count(PurchaseReceipt) == 7
    assert pg_buyer.order(order).status is PurchaseStatus.RECEIVED
    pg_buyer.kit.assert_sound()


def test_the_same_delivery_reported_by_many_at_once_is_one(pg_buyer: Buyer) -> None:
    cup = pg_buyer.kit.variant("CUP")
    supplier = pg_buyer.supplier()
    order = pg_buyer.placed(supplier, {pg_buyer.article(supplier, cup): 20})
    line = pg_buyer.lines(order)[0].id
    outcomes = at_once([partial(pg_buyer.receive, order, Arrived(line, 8))] * 16)
    assert failures(outcomes) == []
    assert len(set(outcomes)) == 1
    assert pg_buyer.kit.level(cup) == (8, 0)


def test_the_job_in_many_workers_while_its_draft_is_placed_orders_once(pg_buyer: Buyer) -> None:
    cup = pg_buyer.kit.variant("CUP", stock=1)
    pg_buyer.rules(cup, reorder_policy=ReorderPolicy.FIXED, reorder_point=13)
    pg_buyer.article(pg_buyer.supplier(), cup)
    run = partial(jobs.reorder, pg_buyer.kit.database)
    assert failures(at_once([run] * 8)) == []
    with pg_buyer.kit.database.read() as session:
        [draft] = service.orders(session)
    outcomes = at_once([run] * 6 + [partial(pg_buyer.place, draft.id)] * 2)
    assert [type(error) for error in failures(outcomes)] == [IllegalTransition], "it is placed once"
    assert failures(at_once([run] * 8)) == []
    assert pg_buyer.kit.count(PurchaseOrder) == pg_buyer.kit.count(PurchaseOrderLine) == 1
    assert [line.quantity for line in pg_buyer.lines(draft.id)] == [12]


def test_deliveries_sales_and_the_job_at_once_leave_the_ledger_sound(pg_buyer: Buyer) -> None:
    cup, lamp = pg_buyer.kit.variant("CUP", stock=30), pg_buyer.kit.variant("LAMP", stock=30)
    supplier = pg_buyer.supplier()
    articles = [pg_buyer.article(supplier, cup), pg_buyer.article(supplier, lamp, "CT-2")]
    for variant in (cup, lamp):
        pg_buyer.rules(variant, reorder_policy=ReorderPolicy.FIXED, reorder_point=50, low_stock_level=20)
    order = pg_buyer.placed(supplier, dict.fromkeys(articles, 20))
    lines = [line.id for line in pg_buyer.lines(order)]
    deliveries = [
        partial(pg_buyer.receive, order, Arrived(lines[n % 2], 1), Arrived(lines[1 - n % 2], 1), key=f"dn-{n}")
        for n in range(10)
    ]
    sales = [partial(pg_buyer.kit.buy, {cup: 1, lamp: 1}, email=f"b{n}@example.com") for n in range(10)]
    outcomes = at_once([*deliveries, *sales, *[partial(jobs.reorder, pg_buyer.kit.database)] * 4])
    assert failures(outcomes) == []
    assert pg_buyer.kit.level(cup) == pg_buyer.kit.level(lamp) == (40, 10)
    jobs.reorder(pg_buyer.kit.database)
    suggestions = pg_buyer.ask(lambda s: service.suggestions(s, now=pg_buyer.kit.now))
    assert [suggestion.inputs.projected for suggestion in suggestions] == [40, 40]
    pg_buyer.kit.assert_sound()


def test_feeds_at_once_end_in_the_newest(pg_buyer: Buyer) -> None:
    supplier = pg_buyer.supplier()
    pg_buyer.article(supplier, pg_buyer.kit.variant("CUP"))
    noon = pg_buyer.kit.now.replace(minute=0)
    feeds = [Feed((FeedItem("CT-1", n, noon.replace(second=n)),)) for n in range(12)]

    def take(feed: Feed) -> int:
        return pg_buyer.run(
            lambda s: service.import_feed(s, supplier_id=supplier, feed=feed, now=pg_buyer.kit.now.replace(minute=5)).id
        )

    outcomes = at_once([partial(take, feed) for feed in feeds * 2])
    assert failures(outcomes) == []
    [(_product, known)] = pg_buyer.ask(lambda s: service.stock_of(s, supplier))
    assert known.quantity == 11
    assert pg_buyer.kit.count(SupplierFeed) == 12
