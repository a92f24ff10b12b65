"""Our books against the gateway's: every paisa that differs is found, kept, told once, and closed once explained."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.transactional.payments.till import Till, open_till
from transactional.core.clock import ManualClock
from transactional.core.models import OutboxMessage
from transactional.core.uow import Database
from transactional.payments import cli, ledger, service
from transactional.payments.gateway import GatewayError, PaymentSnapshot, RefundSnapshot
from transactional.payments.models import (
    Figure,
    GatewayDifference,
    LedgerPosting,
    LedgerTransaction,
    Payment,
    ReconciliationRun,
    ReconciliationTotal,
    Refund,
    RunState,
)
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.faults import Fault
from transactional.payments_standin.gateway import ApiRequest

AUTH = {"authorization": "Basic cnpwX3Rlc3RfbG9jYWw6bG9jYWwtc3RhbmQtaW4tc2VjcmV0"}


class Altered:
    """The gateway, telling something else about some payments or refunds than it did."""

    def __init__(
        self,
        gateway: RazorpayGateway,
        payment: Callable[[PaymentSnapshot], PaymentSnapshot] = lambda snapshot: snapshot,
        refund: Callable[[RefundSnapshot], RefundSnapshot] = lambda snapshot: snapshot,
    ) -> None:
        self._gateway, self._payment, self._refund = gateway, payment, refund

    def __getattr__(self, name: str) -> object:
        return getattr(self._gateway, name)

    def fetch_payment(self, payment_id: str) -> PaymentSnapshot:
        return self._payment(self._gateway.fetch_payment(payment_id))

    def order_payments(self, order_id: str) -> list[PaymentSnapshot]:
        return [self._payment(each) for each in self._gateway.order_payments(order_id)]

    def payments_created(self, *span: object) -> Iterator[PaymentSnapshot]:
        return (self._payment(each) for each in self._gateway.payments_created(*span))

    def fetch_refund(self, refund_id: str) -> RefundSnapshot:
        return self._refund(self._gateway.fetch_refund(refund_id))

    def payment_refunds(self, payment_id: str) -> list[RefundSnapshot]:
        return [self._refund(each) for each in self._gateway.payment_refunds(payment_id)]

    def refunds_created(self, *span: object) -> Iterator[RefundSnapshot]:
        return (self._refund(each) for each in self._gateway.refunds_created(*span))


def reconcile(till: Till, gateway: object = None) -> service.ReconciliationReport:
    return service.reconcile(till.database, gateway or till.gateway)


def rows(till: Till, model: type) -> list:
    with till.database.read() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def totals(till: Till, run_id: int) -> dict[Figure, tuple[int, int]]:
    return {
        row.figure: (row.ours_minor, row.theirs_minor)
        for row in rows(till, ReconciliationTotal)
        if row.run_id == run_id
    }


def test_equal_books_leave_a_run_with_equal_sums(till: Till) -> None:
    first, second = till.buy(1), till.buy(2)
    till.refund(first, 10_000, "key-1")
    till.work()
    report = reconcile(till)
    assert (report.payments, report.refunds, report.differences) == (2, 1, [])
    run = rows(till, ReconciliationRun)[0]
    assert (run.state, run.payments_compared, run.refunds_compared, run.differences_open) == (
        RunState.FINISHED,
        2,
        1,
        0,
    )
    captured = till.order(first).total_minor + till.order(second).total_minor
    fees = sum(payment.fee_minor for order in (first, second) for payment in till.payments(order))
    sums = totals(till, run.id)
    assert sums[Figure.CAPTURED] == (captured, captured)
    assert sums[Figure.REFUNDED] == sums[Figure.REFUND] == (10_000, 10_000)
    assert sums[Figure.FEE] == (fees, fees)
    assert sums[Figure.NET] == (captured - 10_000 - fees,) * 2
    assert till.balances()[ledger.Account.GATEWAY] == sums[Figure.NET][0]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda p: replace(p, amount_minor=p.amount_minor + 1), Figure.CAPTURED),
        (lambda p: replace(p, fee_minor=p.fee_minor - 1), Figure.FEE),
        (lambda p: replace(p, fee_tax_minor=p.fee_tax_minor + 1), Figure.FEE_TAX),
        (lambda p: replace(p, refunded_minor=p.refunded_minor + 1), Figure.REFUNDED),
    ],
)
def test_one_paisa_is_a_difference_until_it_is_explained(till: Till, change: Callable, kind: Figure) -> None:
    order_id = till.buy()
    altered = Altered(till.gateway, payment=change)
    report = reconcile(till, altered)
    assert [(each.kind, abs(each.ours_minor - each.theirs_minor)) for each in report.differences] == [(kind, 1)]
    payment = till.payments(order_id)[0]
    row = rows(till, GatewayDifference)[0]
    assert (row.kind, row.reference, row.order_id) == (kind, payment.gateway_payment_id, order_id)
    assert (row.found_at, row.resolved_at) == (till.clock.now(), None)
    till.clock.advance(timedelta(hours=1))
    second = reconcile(till, altered)
    assert len(rows(till, GatewayDifference)) == 1
    row = rows(till, GatewayDifference)[0]
    assert (row.run_id, row.last_run_id) == (report.run_id, second.run_id)
    # Ten days later the payment lies outside of the span, but what is open is looked at again.
    till.clock.advance(timedelta(days=10))
    third = reconcile(till)
    assert third.differences == []
    assert rows(till, GatewayDifference)[0].resolved_at == till.clock.now()
    assert [run.differences_open for run in rows(till, ReconciliationRun)] == [1, 1, 0]
    mails = [
        row.payload
        for row in rows(till, OutboxMessage)
        if row.topic == "mail.send" and "books differ" in row.payload["subject"]
    ]
    assert len(mails) == 1
    till.check_books()


def test_a_refund_that_differs_is_named_by_its_id(till: Till) -> None:
    order_id = till.buy()
    till.refund(order_id, 10_000, "key-1")
    till.work()
    refund_id = till.refunds(order_id)[0].gateway_refund_id
    altered = Altered(till.gateway, refund=lambda refund: replace(refund, amount_minor=refund.amount_minor - 1))
    differences = reconcile(till, altered).differences
    assert [(each.kind, each.reference, each.ours_minor, each.theirs_minor) for each in differences] == [
        (Figure.REFUND, refund_id, 10_000, 9_999)
    ]
    assert reconcile(till).differences == []


def test_an_altered_ledger_is_found_although_the_row_is_right(till: Till) -> None:
    payment_id = till.payments(till.buy())[0].gateway_payment_id
    with till.database.unit_of_work(actor="vandal") as session:
        key = select(LedgerTransaction.id).where(LedgerTransaction.business_key == f"capture:{payment_id}")
        for posting in session.scalars(
            select(LedgerPosting).where(LedgerPosting.transaction_id == session.scalar(key))
        ):
            posting.amount_minor += 1 if posting.amount_minor > 0 else -1
    assert [each.kind for each in reconcile(till).differences] == [Figure.CAPTURED]


def test_a_payment_that_only_we_know_and_one_that_only_they_know(till: Till) -> None:
    order_id = till.buy()
    payment = till.payments(order_id)[0]
    with till.database.unit_of_work(actor="vandal") as session:
        session.get_one(Payment, payment.id).gateway_payment_id = "pay_" + "Z" * 14
    differences = {(each.kind, each.reference): each for each in reconcile(till).differences}
    total = payment.amount_minor
    ours_only = differences[Figure.CAPTURED, "pay_" + "Z" * 14]
    assert (ours_only.ours_minor, ours_only.theirs_minor) == (total, 0)
    # The twin of the renamed payment is taken in as a second one of its order, and goes back.
    foreign = till.gateway.create_order(amount_minor=50_000, currency="INR", receipt="somebody-else", notes={})
    till.standin.pay(foreign.order_id)
    theirs_only = {each.reference: each for each in reconcile(till).differences if each.kind is Figure.CAPTURED}
    assert any(
        (each.ours_minor, each.theirs_minor, each.order_id) == (0, 50_000, None) for each in theirs_only.values()
    )


def test_what_webhooks_lost_is_taken_in_and_is_no_difference(till: Till) -> None:
    order_id = till.place()
    paid = till.standin.pay(till.start(order_id), outcome=Outcome.CAPTURED)
    till.standin.handle(
        ApiRequest("POST", f"/v1/payments/{paid.payment_id}/refund", headers=AUTH, body=b'{"amount": 100}')
    )
    assert reconcile(till).differences == []
    assert till.order(order_id).status == "paid"
    assert [refund.amount_minor for refund in till.refunds(order_id)] == [100]
    till.check_books()


def test_refunds_on_their_way_are_no_difference(database: Database, clock: ManualClock) -> None:
    till = open_till(database, clock, config=StandInConfig(refund_outcome="pending"))
    with service.gateway_in_use(till.gateway):
        order_id = till.buy()
        till.refund(order_id, 10_000, "sent")
        till.work()
        till.refund(order_id, 5_000, "not yet sent")
        assert reconcile(till).differences == []
        till.standin.settle_refund(till.refunds(order_id)[0].gateway_refund_id or "", "failed")
        assert reconcile(till).differences == []
        assert [refund.status for refund in till.refunds(order_id)] == ["failed", "pending"]


def test_an_authorisation_that_went_back_is_no_money(till: Till) -> None:
    order_id = till.place()
    first, _lapses = till.standin.pay_twice(till.start(order_id))
    till.verify(first)
    till.clock.advance(timedelta(days=3))
    report = reconcile(till)
    assert report.differences == []
    assert totals(till, report.run_id)[Figure.REFUNDED] == (0, 0)
    assert sorted(payment.status for payment in till.payments(order_id)) == ["captured", "refunded"]


@pytest.mark.slow
def test_more_than_a_page_of_payments_is_compared(till: Till) -> None:
    foreign = [
        till.gateway.create_order(amount_minor=100 + n, currency="INR", receipt=f"other-{n}", notes={})
        for n in range(130)
    ]
    for order in foreign:
        till.standin.pay(order.order_id)
    differences = reconcile(till).differences
    assert sorted(each.theirs_minor for each in differences if each.kind is Figure.CAPTURED) == list(range(100, 230))
    pages = [record for record in till.standin.requests() if (record.method, record.path) == ("GET", "/v1/payments")]
    assert len(pages) == 2


def test_a_gateway_that_does_not_answer_fails_the_run_and_resolves_nothing(till: Till) -> None:
    till.buy()
    altered = Altered(till.gateway, payment=lambda p: replace(p, fee_minor=p.fee_minor + 1))
    reconcile(till, altered)
    till.standin.faults.arm(Fault.HTML_502, method="GET", path_prefix="/v1/refunds")
    with pytest.raises(GatewayError):
        reconcile(till)
    run = rows(till, ReconciliationRun)[-1]
    assert (run.state, run.differences_open) == (RunState.FAILED, 1)
    assert "502" in (run.error or "")
    assert rows(till, GatewayDifference)[0].resolved_at is None


def test_patience_when_a_listing_is_asked_to_slow_down(till: Till) -> None:
    pauses: list[float] = []
    till.gateway._sleep = pauses.append
    till.buy()
    till.standin.faults.arm(Fault.RATE_LIMITED, method="GET", path_prefix="/v1/payments", times=3)
    assert reconcile(till).differences == []
    assert len(pauses) == 3
    assert pauses == sorted(pauses)


def test_a_span_that_ends_before_it_begins_is_refused(till: Till) -> None:
    now = till.clock.now()
    with pytest.raises(ValueError, match="before it begins"):
        service.reconcile(till.database, till.gateway, since=now, until=now)
    assert rows(till, ReconciliationRun) == []


def test_the_job_asks_nobody_before_the_first_payment(till: Till) -> None:
    from transactional.payments import jobs

    jobs.reconcile(till.database)
    assert rows(till, ReconciliationRun) == []
    till.start(till.place())
    jobs.reconcile(till.database)
    assert [run.state for run in rows(till, ReconciliationRun)] == [RunState.FINISHED]


def test_the_command_tells_and_counts(
    till: Till, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    import argparse

    monkeypatch.setattr(cli, "open_database", lambda: till.database)
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)
    order_id = till.buy()
    assert cli.run(parser.parse_args([])) == 0
    assert "1 payments and 0 refunds compared" in capsys.readouterr().out
    with till.database.unit_of_work(actor="vandal") as session:
        session.get_one(Payment, till.payments(order_id)[0].id).fee_minor = 1
    assert cli.run(parser.parse_args(["--since", "2026-01-01"])) == 1
    assert "fee of pay_" in capsys.readouterr().out
    with pytest.raises(cli.CommandError, match="not before"):
        cli.run(parser.parse_args(["--since", "2027-01-01"]))
    with pytest.raises(SystemExit):
        parser.parse_args(["--since", "yesterday"])
    till.standin.faults.arm(Fault.HTML_502, method="GET", path_prefix="/v1/payments")
    with pytest.raises(cli.CommandError, match="could not be asked"):
        cli.run(parser.parse_args([]))


def test_nothing_is_compared_of_another_way_to_pay(till: Till) -> None:
    order_id = till.place(mode="on_delivery")
    till.deliver(order_id)
    till.work()
    assert len(rows(till, Payment)) == 1
    assert reconcile(till).payments == 0
    assert rows(till, Refund) == []
