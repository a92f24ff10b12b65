"""Invoices: when they are written, that they sum to the order's frozen sums, and which taxes they name."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from tests.transactional.documents.office import Office, seller
from transactional.core.errors import InvalidInput
from transactional.core.money import contained_tax, unit_share
from transactional.documents import service as documents
from transactional.documents.service import DocumentKind, DocumentLineKind, PlaceOfSupplyUnknown, SupplyKind
from transactional.orders import service as orders
from transactional.shipping.tariff import set_zone

KARNATAKA, MAHARASHTRA, LAKSHADWEEP = "29", "27", "31"


class TestWhen:
    def test_nothing_is_written_before_something_left(self, office: Office, kit: TradeKit) -> None:
        variant = kit.variant("MUG", stock=5)
        unpaid = kit.buy({variant: 1}, pay=False)
        paid = kit.buy({variant: 1})
        assert office.settle(unpaid) == []
        assert office.settle(paid) == []
        with pytest.raises(documents.NothingToDocument, match="it is paid"):
            kit.run(lambda s: documents.issue_invoice(s, order_id=paid, now=kit.now, settings=office.config))

    def test_the_first_parcel_brings_the_invoice_over_the_whole_order(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 3, kit.variant("BOX", stock=5): 1})
        first, _ = kit.lines(order_id)

        def send_one(session: Session) -> object:
            orders.pack(session, order_id=order_id, actor="test", now=kit.now)
            return orders.ship(session, order_id=order_id, units={first.id: 1}, actor="test", now=kit.now)

        kit.run(send_one)
        (invoice,) = office.settle(order_id)
        assert invoice.total_minor == kit.order(order_id).total_minor
        kit.run(lambda s: orders.ship(s, order_id=order_id, actor="test", now=kit.now))
        assert office.settle(order_id) == []

    def test_a_second_time_writes_nothing(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 1})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert office.settle(order_id) == []
        again = kit.run(lambda s: documents.issue_invoice(s, order_id=order_id, now=kit.now, settings=office.config))
        assert again.number == invoice.number

    def test_a_cancelled_order_never_had_one(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 1})
        kit.run(lambda s: orders.cancel(s, order_id=order_id, actor="test", reason="twice", now=kit.now))
        assert office.settle(order_id) == []

    @pytest.mark.parametrize("foreign", [{"source": "online_retail"}, {"is_test": True}])
    def test_orders_of_elsewhere_and_tests_get_none(
        self, office: Office, kit: TradeKit, foreign: dict[str, object]
    ) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 1})
        kit.ship(order_id)
        office.change(order_id, **foreign)
        assert office.settle(order_id) == []


class TestSums:
    def test_the_lines_are_the_orders_frozen_sums(self, office: Office, kit: TradeKit) -> None:
        kit.coupon("TEN", percent_bp=1_000)
        basket = {
            kit.variant("MUG", price=33_333, stock=5): 3,
            kit.variant("BOX", price=10_001, stock=5, tax_rate_bp=500): 1,
        }
        order_id = kit.buy(basket, coupon="TEN")
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        order, frozen = kit.order(order_id), kit.lines(order_id)
        *goods, shipping = office.lines(invoice)
        assert invoice.total_minor == order.total_minor
        for line, of_order in zip(goods, frozen, strict=True):
            assert (line.order_line_id, line.first_unit, line.quantity) == (of_order.id, 0, of_order.quantity)
            assert line.total_minor == of_order.net_minor
            assert line.total_minor - line.taxable_minor == of_order.tax_minor
            assert line.unit_price_minor * line.quantity - line.discount_minor == line.total_minor
        assert [line.rate_bp for line in goods] == [1_800, 500]
        assert (shipping.kind, shipping.hsn_code) == (DocumentLineKind.SHIPPING, "996812")
        assert shipping.total_minor == order.shipping_minor
        assert shipping.total_minor - shipping.taxable_minor == contained_tax(order.shipping_minor, 1_800)
        office.assert_sound(order_id)

    def test_units_called_off_before_are_not_on_it(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", price=100_001, stock=5): 3})
        (line,) = kit.lines(order_id)
        kit.run(
            lambda s: orders.cancel_units(
                s, order_id=order_id, units={line.id: 1}, actor="test", reason="one less", now=kit.now
            )
        )
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        goods = office.lines(invoice)[0]
        assert (goods.first_unit, goods.quantity) == (1, 2)
        assert goods.total_minor == unit_share(line.net_minor, 3, 1, 2)
        with kit.database.read() as session:
            given_back = orders.given_back_minor(session, order_id)
        assert invoice.total_minor == kit.order(order_id).total_minor - given_back

    def test_an_edited_order_is_invoiced_as_it_was_sent(self, office: Office, kit: TradeKit) -> None:
        mug, box = kit.variant("MUG", price=100_001, stock=5), kit.variant("BOX", price=30_003, stock=5)
        order_id = kit.buy({mug: 2}, pay=False, payment_mode="on_delivery")
        (line,) = kit.lines(order_id)

        def edit(session: Session) -> object:
            wanted = orders.WantedChange(remove={line.id: 1}, add=[orders.AddedUnits(box, 2)])
            change = orders.draft_change(
                session, order_id=order_id, wanted=wanted, actor="test", reason="other gift", now=kit.now
            )
            return orders.apply_change(session, change_id=change.id, actor="test", now=kit.now)

        kit.run(edit)
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        with kit.database.read() as session:
            given_back = orders.given_back_minor(session, order_id)
        assert invoice.total_minor == kit.order(order_id).total_minor - given_back
        units = [(row.sku, row.first_unit, row.quantity) for row in office.lines(invoice)]
        assert units[:2] == [("MUG", 1, 1), ("BOX", 0, 2)]
        office.assert_sound(order_id)

    def test_an_order_for_nothing_has_an_invoice_over_nothing(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("FREE", price=0, stock=5): 1})
        office.change(order_id, shipping_minor=0, total_minor=0)
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert (invoice.total_minor, invoice.taxable_minor) == (0, 0)

    @pytest.mark.slow
    @given(
        prices=st.lists(st.integers(1, 999_999), min_size=1, max_size=3),
        quantities=st.lists(st.integers(1, 4), min_size=3, max_size=3),
        rates=st.lists(st.sampled_from([0, 25, 300, 500, 1_800, 2_800]), min_size=3, max_size=3),
        percent=st.integers(0, 9_900),
        state=st.sampled_from(["Karnataka", "Kerala"]),
    )
    @hypothesis_settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_whatever_is_sold_the_invoice_sums_to_what_is_paid(
        self,
        office: Office,
        kit: TradeKit,
        prices: list[int],
        quantities: list[int],
        rates: list[int],
        percent: int,
        state: str,
    ) -> None:
        serial = kit.count(documents.TaxDocument)
        basket = {
            kit.variant(f"SKU-{serial}-{i}", price=price, stock=9, tax_rate_bp=rates[i]): quantities[i]
            for i, price in enumerate(prices)
        }
        coupon = f"CODE{serial}" if percent else None
        if coupon:
            kit.coupon(coupon, percent_bp=percent)
        order_id = office.buy(basket, to={"state": state}, coupon=coupon)
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert invoice.total_minor == kit.order(order_id).total_minor
        office.assert_sound(order_id)


class TestTaxes:
    @pytest.mark.slow
    def test_within_the_state_the_tax_is_halved(self, office: Office, kit: TradeKit) -> None:
        order_id = office.buy({kit.variant("MUG", stock=5): 1}, to={"state": "karnatka"})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert (invoice.supply_kind, invoice.place_of_supply) == (SupplyKind.INTRA, KARNATAKA)
        assert 0 <= invoice.cgst_minor - invoice.sgst_minor <= 2  # a paisa for each odd line
        assert invoice.igst_minor == 0

    def test_to_another_state_it_is_integrated(self, office: Office, kit: TradeKit) -> None:
        order_id = office.buy({kit.variant("MUG", stock=5): 1}, to={"state": "", "postal_code": "411001"})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert (invoice.supply_kind, invoice.place_of_supply) == (SupplyKind.INTER, MAHARASHTRA)
        assert invoice.buyer["state"] == "Maharashtra"
        assert (invoice.cgst_minor, invoice.sgst_minor) == (0, 0)
        assert invoice.igst_minor == kit.order(order_id).tax_minor + contained_tax(
            kit.order(order_id).shipping_minor, 1_800
        )

    def test_a_business_is_where_its_number_says_wherever_its_gift_goes(self, office: Office, kit: TradeKit) -> None:
        order_id = office.buy({kit.variant("MUG", stock=5): 1}, to={"state": "Karnataka", "gstin": "27AAPFU0939F1ZV"})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert (invoice.supply_kind, invoice.place_of_supply) == (SupplyKind.INTER, MAHARASHTRA)

    def test_an_export_is_zero_rated_and_says_why(self, office: Office, kit: TradeKit) -> None:
        office.config = seller(export_undertaking="AD290326000001X")
        order_id = office.buy({kit.variant("MUG", stock=5): 1}, to={"state": "London", "country": "GB"})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert (invoice.supply_kind, invoice.place_of_supply) == (SupplyKind.EXPORT, "96")
        assert invoice.taxable_minor == invoice.total_minor == kit.order(order_id).total_minor
        assert {line.rate_bp for line in office.lines(invoice)} == {0}
        assert "without payment of integrated tax (LUT AD290326000001X)" in invoice.notes[0]

    def test_an_export_with_tax_bears_igst(self, office: Office, kit: TradeKit) -> None:
        office.config = seller(export_with_tax=True)
        order_id = office.buy({kit.variant("MUG", stock=5): 1}, to={"country": "Nepal"})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert invoice.supply_kind is SupplyKind.EXPORT
        assert invoice.igst_minor > 0
        assert "on payment of integrated tax" in invoice.notes[0]

    def test_an_address_that_tells_nothing_is_a_problem_until_staff_decide(self, office: Office, kit: TradeKit) -> None:
        kit.run(lambda s: set_zone(s, country="IN", prefix="9", zone="special").id)  # sends by the army's post
        order_id = office.buy({kit.variant("MUG", stock=5): 1}, to={"state": "Atlantis", "postal_code": "900001"})
        kit.ship(order_id)
        with pytest.raises(PlaceOfSupplyUnknown):
            office.settle(order_id)
        assert office.documents(order_id) == []
        (invoice,) = office.settle(order_id, place_of_supply=LAKSHADWEEP)
        assert (invoice.place_of_supply, invoice.serial) == (LAKSHADWEEP, 1)

    def test_the_rate_at_which_the_price_was_frozen_counts(self, office: Office, kit: TradeKit) -> None:
        from transactional.catalog import service as catalog

        variant = kit.variant("MUG", stock=5, tax_rate_bp=1_200)
        order_id = kit.buy({variant: 1})
        product_id = kit.lines(order_id)[0].product_id
        kit.run(
            lambda s: catalog.update_product(s, product_id=product_id, tax_rate_bp=500, hsn_code="691200", now=kit.now)
        )
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        line = office.lines(invoice)[0]
        assert (line.rate_bp, line.hsn_code) == (1_200, "691200")


class TestFrozen:
    def test_later_changes_reach_no_document(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 1})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        office.config = seller(seller_name="Somebody Else", seller_address="Elsewhere")
        office.change(order_id, ship_to={"recipient": "Nobody"})
        assert office.settle(order_id) == []
        (same,) = office.documents(order_id)
        assert same.seller["name"] == "My Little Things"
        assert same.buyer["recipient"] == "Aarav Śarmā"
        assert same.content_sha256 == invoice.content_sha256
        office.assert_sound(order_id)

    def test_no_mail_address_or_telephone_of_the_buyer_is_kept(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 1})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert "guest@example.com" not in str(invoice.buyer)
        assert "+919812345678" not in str(invoice.buyer)

    @pytest.mark.parametrize(("typed", "kept"), [("29aapfu0939f1zr", "29AAPFU0939F1ZR"), ("29AAPFU0939F1ZX", None)])
    def test_a_buyers_gstin_is_kept_if_it_is_true(
        self, office: Office, kit: TradeKit, typed: str, kept: str | None
    ) -> None:
        order_id = office.buy({kit.variant("MUG", stock=5): 1}, to={"gstin": typed})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert invoice.buyer["gstin"] == kept


class TestSeller:
    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            ({"seller_state": "Atlantis"}, "MLT_SELLER_STATE"),
            ({"seller_state": "Kerala"}, "belongs to Karnataka"),
            ({"seller_country": "DE"}, "sellers in India"),
        ],
    )
    def test_settings_that_contradict_each_other_write_nothing(
        self, office: Office, kit: TradeKit, wrong: dict[str, str], says: str
    ) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 1})
        kit.ship(order_id)
        office.config = seller(**wrong)
        with pytest.raises(InvalidInput, match=says):
            office.settle(order_id)
        assert kit.count(documents.TaxDocument) == 0

    def test_the_kind_is_an_invoice(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=5): 1})
        kit.ship(order_id)
        (invoice,) = office.settle(order_id)
        assert invoice.kind is DocumentKind.INVOICE
        assert invoice.seller["gstin"] == office.config.seller_gstin
