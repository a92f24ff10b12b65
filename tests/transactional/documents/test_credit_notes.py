"""Credit notes: whatever is given back after the invoice is taken off it, once, down to the last paisa."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from tests.transactional.documents.office import Office
from tests.transactional.payments.till import Till, open_till
from transactional import wiring
from transactional.core.clock import ManualClock
from transactional.core.uow import Database
from transactional.documents import events
from transactional.documents import service as documents
from transactional.documents.service import DocumentKind, DocumentLineKind
from transactional.orders import service as orders
from transactional.payments import service as payments
from transactional.returns import service as returns

wiring.wire()


def delivered(office: Office, lines: dict[int, int], **more: object) -> int:
    """An order that has arrived, with its invoice."""
    order_id = office.buy(lines, **more)
    office.kit.deliver(order_id)
    assert len(office.settle(order_id)) == 1
    return order_id


class TestUnits:
    def test_a_note_takes_exactly_the_returned_units(self, office: Office, kit: TradeKit) -> None:
        order_id = delivered(office, {kit.variant("MUG", price=100_001, stock=9): 3})
        (line,) = kit.lines(order_id)
        refund = office.give_back(order_id, {line.id: 1}, cause="test:1")
        (note,) = office.settle(order_id)
        (invoice, _) = office.documents(order_id)
        (credited,) = office.lines(note)
        assert (note.kind, note.number, note.refers_to_id) == (DocumentKind.CREDIT_NOTE, "CRN-2526-0000001", invoice.id)
        assert (credited.order_line_id, credited.first_unit, credited.quantity) == (line.id, 0, 1)
        assert credited.total_minor == note.total_minor == refund
        assert note.details["invoice_number"] == invoice.number
        assert (note.place_of_supply, note.supply_kind) == (invoice.place_of_supply, invoice.supply_kind)
        assert office.settle(order_id) == []
        office.assert_sound(order_id)

    @pytest.mark.slow
    def test_returned_piece_by_piece_an_order_sums_to_what_is_not_refunded(self, office: Office, kit: TradeKit) -> None:
        order_id = delivered(
            office, {kit.variant("MUG", price=33_333, stock=9): 3, kit.variant("BOX", price=777, stock=9): 2}
        )
        refunded = 0
        for i, (line, units) in enumerate([(0, 1), (1, 2), (0, 1), (0, 1)]):
            line_id = kit.lines(order_id)[line].id
            refunded += office.give_back(order_id, {line_id: units}, cause=f"test:{i}")
            office.settle(order_id)
            assert office.on_paper(order_id) == kit.order(order_id).total_minor - refunded
        assert len(office.documents(order_id)) == 5
        office.assert_sound(order_id)
        notes = [d for d in office.documents(order_id) if d.kind is DocumentKind.CREDIT_NOTE]
        goods = [line for note in notes for line in office.lines(note) if line.kind is DocumentLineKind.GOODS]
        assert sum(line.total_minor - line.taxable_minor for line in goods) == kit.order(order_id).tax_minor

    def test_several_returns_that_nobody_has_written_up_get_a_note_each(self, office: Office, kit: TradeKit) -> None:
        order_id = office.buy({kit.variant("MUG", price=100_001, stock=9): 3})
        kit.deliver(order_id)
        office.settle(order_id)
        (line,) = kit.lines(order_id)
        refunds = [office.give_back(order_id, {line.id: 1}, cause=f"test:{i}") for i in range(3)]
        assert [note.total_minor for note in office.settle(order_id)] == refunds

    def test_what_was_given_back_before_the_invoice_shapes_it_instead(self, office: Office, kit: TradeKit) -> None:
        order_id = office.buy({kit.variant("MUG", price=100_001, stock=9): 3})
        kit.deliver(order_id)
        (line,) = kit.lines(order_id)
        refund = office.give_back(order_id, {line.id: 1}, cause="test:1")
        (invoice,) = office.settle(order_id)  # the worker was late
        assert invoice.total_minor == kit.order(order_id).total_minor - refund

    def test_a_parcel_that_came_home_is_credited_although_nothing_was_paid(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", price=10_001, stock=9): 2}, pay=False, payment_mode="on_delivery")
        kit.ship(order_id)
        office.settle(order_id)
        (line,) = kit.lines(order_id)
        kit.run(lambda s: orders.parcel_came_back(s, order_id=order_id, units={line.id: 2}, actor="test", now=kit.now))
        (note,) = office.settle(order_id)
        with kit.database.read() as session:
            assert note.total_minor == orders.given_back_minor(session, order_id)
        assert kit.order(order_id).shipping_minor > 0
        assert office.on_paper(order_id) == 0
        office.assert_sound(order_id)

    def test_shipping_given_back_is_taken_off_the_shipping_line(self, office: Office, kit: TradeKit) -> None:
        order_id = delivered(office, {kit.variant("MUG", stock=9): 1})
        (line,) = kit.lines(order_id)
        office.give_back(order_id, {line.id: 1}, cause="test:1", ours=True)
        (note,) = office.settle(order_id)
        assert [line.kind for line in office.lines(note)] == [DocumentLineKind.GOODS, DocumentLineKind.SHIPPING]
        assert office.on_paper(order_id) == 0

    def test_a_coupon_that_is_withheld_stays_on_paper(self, office: Office, kit: TradeKit) -> None:
        kit.coupon("BIG", percent_bp=2_000, min_spend_minor=150_000)
        order_id = delivered(office, {kit.variant("MUG", price=100_000, stock=9): 2}, coupon="BIG")
        (line,) = kit.lines(order_id)
        for i in range(2):
            office.give_back(order_id, {line.id: 1}, cause=f"test:{i}")
            office.settle(order_id)
            with kit.database.read() as session:
                given_back = orders.given_back_minor(session, order_id)
            assert office.on_paper(order_id) == kit.order(order_id).total_minor - given_back
        office.assert_sound(order_id)

    @pytest.mark.slow
    @given(
        steps=st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3), st.booleans(), st.booleans()), max_size=6),
        percent=st.sampled_from([0, 1_234, 9_000]),
        state=st.sampled_from(["Karnataka", "Kerala"]),
    )
    @hypothesis_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
    def test_whatever_comes_back_the_documents_sum_to_what_is_kept(
        self, office: Office, kit: TradeKit, steps: list[tuple[int, int, bool, bool]], percent: int, state: str
    ) -> None:
        serial = kit.count(documents.TaxDocument)
        coupon = f"C{serial}" if percent else None
        if coupon:
            kit.coupon(coupon, percent_bp=percent, min_spend_minor=50_000)
        mug = kit.variant(f"MUG-{serial}", price=33_331, stock=9)
        box = kit.variant(f"BOX-{serial}", price=99, stock=9, tax_rate_bp=500)
        order_id = delivered(office, {mug: 4, box: 3}, to={"state": state}, coupon=coupon)
        for i, (which, wanted, ours, settle_now) in enumerate(steps):
            line = kit.lines(order_id)[which]
            units = min(wanted, line.delivered_quantity - line.returned_quantity)
            if units:
                office.give_back(order_id, {line.id: units}, cause=f"test:{order_id}:{i}", ours=ours)
            if settle_now:
                office.settle(order_id)
        office.settle(order_id)
        with kit.database.read() as session:
            given_back = orders.given_back_minor(session, order_id)
        assert office.on_paper(order_id) == kit.order(order_id).total_minor - given_back
        office.assert_sound(order_id)


class TestExchange:
    def test_what_an_exchange_adds_has_an_invoice_of_its_own_and_credits_find_theirs(
        self, office: Office, kit: TradeKit
    ) -> None:
        order_id = delivered(office, {kit.variant("MUG", price=100_001, stock=9): 2})
        (line,) = kit.lines(order_id)
        office.give_back(order_id, {line.id: 1}, cause="test:1")

        def add_line(session: Session) -> object:
            order = orders.lock_order(session, order_id)
            order.gross_minor += 50_000
            order.total_minor += 50_000
            columns = ("order_id", "variant_id", "product_id", "sku", "title")
            sums = {"quantity": 1, "unit_price_minor": 50_000, "gross_minor": 50_000, "net_minor": 50_000}
            added = orders.OrderLine(
                **{name: getattr(line, name) for name in columns}, **sums, tax_minor=7_627, customisation={}
            )
            session.add(added)
            session.flush()
            return added.id

        added_id = kit.run(add_line)
        (note,) = office.settle(order_id)  # the other gift has not left yet
        assert note.kind is DocumentKind.CREDIT_NOTE

        def left_and_arrived(session: Session) -> object:
            added = orders.get_line(session, added_id)
            added.shipped_quantity = added.delivered_quantity = 1

        kit.run(left_and_arrived)
        (second,) = office.settle(order_id)
        assert (second.kind, second.number, second.total_minor) == (DocumentKind.INVOICE, "INV-2526-0000002", 50_000)
        office.give_back(order_id, {line.id: 1, added_id: 1}, cause="test:2")
        notes = office.settle(order_id)
        invoices = {d.id: d.number for d in office.documents(order_id) if d.kind is DocumentKind.INVOICE}
        assert [invoices[n.refers_to_id or 0] for n in notes] == ["INV-2526-0000001", "INV-2526-0000002"]
        with kit.database.read() as session:
            given_back = orders.given_back_minor(session, order_id)
        assert office.on_paper(order_id) == kit.order(order_id).total_minor - given_back
        assert office.settle(order_id) == []
        office.assert_sound(order_id)


class TestByHand:
    def test_an_amount_is_spread_over_what_is_left_once_per_reference(self, office: Office, kit: TradeKit) -> None:
        order_id = delivered(
            office, {kit.variant("MUG", price=50_000, stock=9): 1, kit.variant("BOX", price=25_000, stock=9): 2}
        )

        def credit(amount: int, key: str) -> list[documents.TaxDocument]:
            return kit.run(
                lambda s: documents.issue_credit_note(
                    s,
                    order_id=order_id,
                    amount_minor=amount,
                    key=key,
                    reason="scratch",
                    now=kit.now,
                    settings=office.config,
                )
            )

        (note,) = credit(10_001, "ticket-1")
        assert note.total_minor == 10_001
        assert {line.quantity for line in office.lines(note)} == {0}
        assert [again.number for again in credit(10_001, "ticket-1")] == [note.number]
        office.assert_sound(order_id)
        with pytest.raises(documents.NothingToDocument, match="left to credit"):
            credit(kit.order(order_id).total_minor, "ticket-2")
        with pytest.raises(documents.NothingToDocument):
            credit(0, "ticket-3")

    def test_without_an_invoice_there_is_nothing_to_credit(self, office: Office, kit: TradeKit) -> None:
        order_id = kit.buy({kit.variant("MUG", stock=9): 1})
        with pytest.raises(documents.NothingToDocument, match="0 left"):
            kit.run(
                lambda s: documents.issue_credit_note(
                    s, order_id=order_id, amount_minor=1, key="a", reason="b", now=kit.now, settings=office.config
                )
            )


class TestByTheWorker:
    """Through the outbox, with real payments behind them."""

    @pytest.fixture
    def till(self, database: Database, clock: ManualClock) -> Iterator[Till]:
        opened = open_till(database, clock)
        with payments.gateway_in_use(opened.gateway):
            yield opened

    def documents(self, till: Till, order_id: int) -> list[documents.TaxDocument]:
        with till.database.read() as session:
            return list(documents.documents_of(session, order_id))

    def on_paper(self, till: Till, order_id: int) -> int:
        signs = {DocumentKind.INVOICE: 1, DocumentKind.CREDIT_NOTE: -1}
        return sum(signs[document.kind] * document.total_minor for document in self.documents(till, order_id))

    def kept(self, till: Till, order_id: int) -> int:
        with till.database.read() as session:
            paid = payments.payments_of_order(session, order_id=order_id)
        return sum(p.captured_minor - p.refunded_minor - p.refund_pending_minor for p in paid)

    def test_from_parcel_to_return_everything_is_on_paper(self, till: Till) -> None:
        order_id = till.buy(3)
        till.work()
        assert self.documents(till, order_id) == []
        till.deliver(order_id)
        till.work()
        (invoice,) = self.documents(till, order_id)
        assert invoice.total_minor == self.kept(till, order_id)
        self.send_back(till, order_id, 1)
        till.work()
        (_, note) = self.documents(till, order_id)
        assert note.return_id is not None
        assert self.on_paper(till, order_id) == self.kept(till, order_id)
        self.send_back(till, order_id, 2)
        till.work()
        assert self.on_paper(till, order_id) == self.kept(till, order_id)

    def test_a_refund_out_of_kindness_gets_a_note_and_a_repeated_one_none(self, till: Till) -> None:
        order_id = till.buy(3)
        till.deliver(order_id)
        till.refund(order_id, 1_234, "kindness")
        till.work()
        till.refund(order_id, 1_234, "kindness")
        till.clock.advance(timedelta(hours=1))
        till.work()
        _, note = self.documents(till, order_id)
        assert note.total_minor == 1_234
        assert self.on_paper(till, order_id) == self.kept(till, order_id)

    def test_a_refund_made_at_the_gateway_itself_is_caught_up_with(self, till: Till) -> None:
        order_id = till.buy(3)
        till.deliver(order_id)
        till.work()

        def reported(session: Session) -> object:
            (payment,) = payments.payments_of_order(session, order_id=order_id)
            payment.refunded_minor += 777
            session.add(
                payments.Refund(
                    payment_id=payment.id,
                    order_id=order_id,
                    idempotency_key="made-elsewhere",
                    gateway_refund_id="rfnd_elsewhere",
                    status=payments.RefundStatus.PROCESSED,
                    amount_minor=777,
                    currency="INR",
                    created_at=till.clock.now(),
                )
            )

        till.database.run(reported, actor="test")
        assert events.catch_up(till.database) == 1
        assert events.catch_up(till.database) == 0
        till.work()
        assert [document.total_minor for document in self.documents(till, order_id)][1:] == [777]
        assert self.on_paper(till, order_id) == self.kept(till, order_id)

    @pytest.mark.slow
    def test_money_that_was_paid_twice_and_went_back_is_nobodys_discount(self, till: Till) -> None:
        order_id = till.buy(1)
        till.deliver(order_id)
        till.work()

        def paid_again(session: Session) -> object:
            (payment,) = payments.payments_of_order(session, order_id=order_id)
            twin = payments.Payment(
                order_id=order_id,
                gateway=payment.gateway,
                gateway_payment_id="pay_twin",
                method="upi",
                status=payments.PaymentStatus.CAPTURED,
                currency="INR",
                amount_minor=payment.amount_minor,
                captured_minor=payment.captured_minor,
                refunded_minor=payment.captured_minor,
                refund_pending_minor=0,
                created_at=till.clock.now(),
            )
            session.add(twin)

        till.database.run(paid_again, actor="test")
        new = till.database.run(lambda s: documents.settle(s, order_id=order_id, now=till.clock.now()), actor="test")
        assert new == []

    def send_back(self, till: Till, order_id: int, quantity: int) -> None:
        with till.database.read() as session:
            (line,) = orders.lines_of(session, order_id)

        def work(session: Session) -> object:
            now = till.clock.now()
            asked = returns.request_return(
                session, order_id=order_id, quantities={line.id: quantity}, reason="big", window_days=14, now=now
            )
            returns.approve(session, return_id=asked.id, now=now)
            return returns.process(session, return_id=asked.id, actor="test", now=now)

        till.database.run(work, actor="test")
