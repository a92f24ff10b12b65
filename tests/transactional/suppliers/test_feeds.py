"""Supplier stock: an older feed never replaces a newer one, and a faulty one changes nothing."""

import json
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from tests.transactional.suppliers.conftest import Buyer
from transactional.core.errors import InvalidInput, NotFound
from transactional.suppliers import service
from transactional.suppliers.models import SupplierFeed, SupplierStock
from transactional.suppliers.service import Feed, FeedItem

MORNING = datetime(2026, 1, 15, 6, 0, tzinfo=UTC)


def feed(*items: tuple[str, int], as_of: datetime = MORNING, supplier: str | None = None) -> Feed:
    """A feed in which everything has one moment."""
    return Feed(tuple(FeedItem(sku, quantity, as_of) for sku, quantity in items), supplier)


def take(buyer: Buyer, supplier_id: int, what: Feed) -> SupplierFeed:
    """Import a feed."""
    return buyer.run(lambda s: service.import_feed(s, supplier_id=supplier_id, feed=what, now=buyer.kit.now))


def stock(buyer: Buyer, supplier_id: int) -> dict[str, int]:
    """What the supplier is known to have."""
    rows = buyer.ask(lambda s: service.stock_of(s, supplier_id))
    return {product.supplier_sku: row.quantity for product, row in rows}


@pytest.fixture
def toys(buyer: Buyer) -> int:
    """A supplier of two articles."""
    supplier = buyer.supplier()
    buyer.article(supplier, buyer.kit.variant("CUP"), "CT-1")
    buyer.article(supplier, buyer.kit.variant("LAMP"), "खि-2")
    return supplier


class TestImport:
    def test_what_is_newer_is_taken(self, buyer: Buyer, toys: int) -> None:
        record = take(buyer, toys, feed(("CT-1", 5), ("खि-2", 0), ("NOT-OURS", 7)))
        assert (record.items, record.applied, record.outdated, record.unknown) == (3, 2, 0, 1)
        assert stock(buyer, toys) == {"CT-1": 5, "खि-2": 0}
        take(buyer, toys, feed(("CT-1", 9), as_of=MORNING + timedelta(hours=1)))
        assert stock(buyer, toys) == {"CT-1": 9, "खि-2": 0}

    @pytest.mark.slow
    def test_feeds_in_any_order_end_in_the_newest(self, buyer: Buyer, toys: int) -> None:
        feeds = [feed(("CT-1", hour), as_of=MORNING + timedelta(hours=hour)) for hour in range(3)]
        for number, order in enumerate(permutations(feeds)):
            later = timedelta(minutes=number)  # each round is a little newer than the last one's first
            for what in order:
                shifted = Feed(tuple(FeedItem(i.supplier_sku, i.quantity, i.as_of + later) for i in what.items))
                take(buyer, toys, shifted)
            assert stock(buyer, toys) == {"CT-1": 2}
            buyer.run(lambda s: s.query(SupplierStock).delete())

    @pytest.mark.parametrize("age", [timedelta(0), timedelta(seconds=1), timedelta(days=400)])
    def test_the_same_moment_or_an_older_one_changes_nothing(self, buyer: Buyer, toys: int, age: timedelta) -> None:
        take(buyer, toys, feed(("CT-1", 5)))
        record = take(buyer, toys, feed(("CT-1", 99), as_of=MORNING - age))
        assert (record.applied, record.outdated) == (0, 1)
        assert stock(buyer, toys) == {"CT-1": 5}

    def test_moments_are_compared_as_moments(self, buyer: Buyer, toys: int) -> None:
        """11:00 in India is before 06:00 UTC."""
        take(buyer, toys, feed(("CT-1", 5)))
        india = service.parse_moment("2026-01-15T11:00:00+05:30", "x")
        assert take(buyer, toys, feed(("CT-1", 9), as_of=india)).applied == 0

    def test_the_same_feed_again_is_the_same_record(self, buyer: Buyer, toys: int) -> None:
        first = take(buyer, toys, feed(("CT-1", 5), ("खि-2", 1)))
        again = take(buyer, toys, feed(("खि-2", 1), ("CT-1", 5)))
        assert first.id == again.id
        assert buyer.kit.count(SupplierFeed) == 1

    def test_figures_from_the_future_are_refused(self, buyer: Buyer, toys: int) -> None:
        with pytest.raises(InvalidInput, match="in the future"):
            take(buyer, toys, feed(("CT-1", 5), as_of=buyer.kit.now + timedelta(hours=1)))
        assert buyer.kit.count(SupplierFeed) == buyer.kit.count(SupplierStock) == 0

    def test_a_feed_of_somebody_else_is_refused(self, buyer: Buyer, toys: int) -> None:
        with pytest.raises(InvalidInput, match="of PAPER, not of TOYS"):
            take(buyer, toys, feed(("CT-1", 5), supplier="PAPER"))
        with pytest.raises(InvalidInput, match="buys none of"):
            take(buyer, toys, feed(("P-1", 5), ("P-2", 5)))
        with pytest.raises(NotFound):
            take(buyer, 99, feed(("CT-1", 5)))
        assert take(buyer, toys, feed(("CT-1", 5), supplier="toys")).applied == 1

    @pytest.mark.slow
    def test_many_articles(self, buyer: Buyer, toys: int) -> None:
        cup = buyer.kit.variant("MANY")
        buyer.run(
            lambda s: [
                service.add_product(
                    s,
                    supplier_id=toys,
                    supplier_sku=f"M-{n}",
                    variant_id=cup,
                    cost_minor=1,
                    currency="INR",
                    lead_time_days=1,
                    now=buyer.kit.now,
                ).id
                for n in range(501)
            ]
        )
        record = take(buyer, toys, feed(*((f"M-{n}", n) for n in range(501))))
        assert (record.applied, buyer.kit.count(SupplierStock)) == (501, 501)


class TestCsv:
    def test_a_file_as_spreadsheets_write_it(self) -> None:
        content = '\ufeffsupplier_sku,name,quantity,as_of\r\n"CT-1","Cup, blue",5,2026-01-15T11:30:00+05:30\r\n'
        assert service.read_csv(content.encode()) == feed(("CT-1", 5))

    def test_the_moment_may_be_said_beside_it(self) -> None:
        assert service.read_csv(b"quantity,supplier_sku\n5,CT-1\n", as_of=MORNING) == feed(("CT-1", 5))

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            (b"", "the header lacks as_of, quantity, supplier_sku"),
            (b"supplier_sku,quantity\nCT-1,5\n", "line 1: the header lacks as_of"),
            (b"supplier_sku,quantity,as_of\n", "no items"),
            (b"supplier_sku,quantity,as_of\nCT-1,five,2026-01-15T06:00:00Z\n", "line 2: 'five' is no number"),
            (b"supplier_sku,quantity,as_of\nCT-1,-5,2026-01-15T06:00:00Z\n", "line 2: '-5' is no number"),
            (b"supplier_sku,quantity,as_of\nCT-1,5.5,2026-01-15T06:00:00Z\n", "line 2: '5.5' is no number"),
            ("supplier_sku,quantity,as_of\nCT-1,५,2026-01-15T06:00:00Z\n".encode(), "line 2: '५' is no number"),
            (b"supplier_sku,quantity,as_of\nCT-1,5,2026-01-15T06:00:00\n", "line 2: .* has no time zone"),
            (b"supplier_sku,quantity,as_of\nCT-1,5,yesterday\n", "line 2: 'yesterday' is no moment"),
            (b"supplier_sku,quantity,as_of\nCT-1,5\n", "line 2: the number of columns"),
            (b"supplier_sku,quantity,as_of\nCT-1,5,2026-01-15T06:00:00Z,x\n", "line 2: the number of columns"),
            (b"supplier_sku,quantity,as_of\n,5,2026-01-15T06:00:00Z\n", "line 2: a supplier's SKU"),
            (
                b"supplier_sku,quantity,as_of\nCT-1,5,2026-01-15T06:00:00Z\nCT-1,6,2026-01-15T06:00:00Z\n",
                "CT-1 is in the feed twice",
            ),
            (b'supplier_sku,quantity,as_of\n"CT-1,5,2026-01-15T06:00:00Z\n', "after line 1: this is no CSV"),
            (b"supplier_sku,quantity,as_of\nCT-\xff,5,2026-01-15T06:00:00Z\n", "byte 32 is no UTF-8"),
        ],
    )
    def test_a_fault_is_named_with_its_place(self, content: bytes, why: str) -> None:
        with pytest.raises(InvalidInput, match=why):
            service.read_csv(content)


class TestJson:
    def test_a_file_with_everything_in_it(self) -> None:
        document = {
            "supplier": "TOYS",
            "as_of": "2026-01-15T06:00:00Z",
            "items": [{"supplier_sku": "CT-1", "quantity": 5}],
        }
        assert service.read_json(json.dumps(document).encode()) == feed(("CT-1", 5), supplier="TOYS")

    def test_quantities_may_be_text_and_items_have_moments_of_their_own(self) -> None:
        document = {"items": [{"supplier_sku": "CT-1", "quantity": "5", "as_of": "2026-01-15T06:00:00Z"}]}
        assert service.read_json(json.dumps(document).encode()) == feed(("CT-1", 5))

    @pytest.mark.parametrize(
        ("content", "why"),
        [
            ("", "no JSON"),
            ("[]", "a list `items`"),
            ('{"items": 3}', "a list `items`"),
            ('{"items": []}', "no items"),
            ('{"items": [3]}', "item 1 is no object"),
            ('{"items": [{"supplier_sku": "A", "quantity": 1}]}', "item 1: neither the item nor the feed"),
            ('{"as_of": 3, "items": []}', "as_of: 3 is no moment"),
            ('{"as_of": "2026-01-15T06:00:00Z", "items": [{"supplier_sku": "A", "quantity": true}]}', "item 1: True"),
            ('{"as_of": "2026-01-15T06:00:00Z", "items": [{"supplier_sku": "A", "quantity": 1.5}]}', "item 1: 1.5"),
            ('{"as_of": "2026-01-15T06:00:00Z", "items": [{"quantity": 1}]}', "item 1: a supplier's SKU"),
            ('{"supplier": 7, "items": []}', "the supplier's code"),
        ],
    )
    def test_a_fault_is_named_with_its_place(self, content: str, why: str) -> None:
        with pytest.raises(InvalidInput, match=why):
            service.read_json(content.encode())
