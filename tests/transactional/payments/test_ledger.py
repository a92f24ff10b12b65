"""The ledger: balanced or refused, unrepeatable, and proved every night."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.transactional.payments.till import Till
from transactional.core.models import OutboxMessage
from transactional.payments import jobs, ledger, service
from transactional.payments.ledger import Account, Entry
from transactional.payments.ledger_check import check_ledger, ledger_faults
from transactional.payments.models import LedgerPosting, LedgerTransaction, Payment, Refund, RefundStatus
from transactional.payments_standin.bank import Outcome
from transactional.payments_standin.faults import Fault


def post(till: Till, amounts: list[int], key: str = "capture:pay_X") -> bool:
    accounts = (Account.GATEWAY, Account.CUSTOMERS, Account.FEES)
    entries = [Entry(account, amount) for account, amount in zip(accounts, amounts, strict=False)]
    return till.database.run(
        lambda session: ledger.post(
            session,
            kind="capture",
            business_key=key,
            order_id=None,
            entries=entries,
            currency="INR",
            now=till.clock.now(),
        ),
        actor="test",
    )


def faults(till: Till) -> list[str]:
    with till.database.read() as session:
        return ledger_faults(session, gateways=("razorpay", "cash"))


def mails(till: Till) -> list[str]:
    with till.database.read() as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.topic == "mail.send"))
        return [row.payload["body"] for row in rows if "ledger" in row.payload["subject"]]


def test_a_transaction_that_does_not_balance_is_not_written(till: Till) -> None:
    for amounts in ([1], [100, -99], [5, -4, -2]):
        with pytest.raises(ledger.Unbalanced):
            post(till, amounts)
    assert till.count(LedgerTransaction) == till.count(LedgerPosting) == 0


def test_a_business_key_is_posted_once(till: Till) -> None:
    assert post(till, [100, -100]) is True
    assert post(till, [100, -100]) is False
    assert post(till, [0, 0], "capture:pay_zero") is True
    assert till.balances() == {"gateway_clearing": 100, "customer_payments": -100}


def test_a_sound_shop_has_no_faults(till: Till) -> None:
    order_id = till.buy()
    till.refund(order_id, 10_000, "key-1")
    till.work()
    at_the_door = till.place(mode="on_delivery")
    till.deliver(at_the_door)
    till.work()
    assert till.captures() == 2
    assert faults(till) == []
    jobs.check_books(till.database)
    assert mails(till) == []


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("posting", "debits and credits differ"),
        ("capture", "captured 0, posted"),
        ("unposted", "posted 0"),
        ("refund", "its processed refunds sum to 0"),
    ],
)
def test_whatever_does_not_add_up_is_told_once_a_day(till: Till, spoil: str, words: str) -> None:
    order_id = till.buy()
    till.refund(order_id, 10_000, "key-1")
    till.work()
    with till.database.unit_of_work(actor="vandal") as session:
        if spoil == "posting":
            session.scalars(select(LedgerPosting).where(LedgerPosting.amount_minor > 0)).first().amount_minor += 1
        elif spoil == "capture":
            payment = session.scalars(select(Payment)).one()
            payment.refunded_minor = payment.captured_minor = 0
        elif spoil == "unposted":
            row = session.scalars(select(LedgerTransaction).where(LedgerTransaction.kind == "capture")).one()
            row.business_key = "capture:pay_other"
        else:
            session.scalars(select(Refund)).one().status = RefundStatus.FAILED
    assert any(words in fault for fault in check_ledger(till.database, gateway="razorpay"))
    check_ledger(till.database, gateway="razorpay")
    assert len(mails(till)) == 1
    assert words in mails(till)[0]


def test_money_that_is_stuck_for_a_day_is_told(till: Till) -> None:
    order_id, lapsing = till.buy(), till.place()
    till.refund(order_id, 10_000, "key-1")
    till.standin.faults.arm(Fault.KEY_IN_PROGRESS, path_prefix="/v1/payments/*/refund", times=99)
    till.standin.faults.arm(Fault.RATE_LIMITED, path_prefix="/v1/payments/*/capture", times=99)
    till.standin.pay(till.start(lapsing), outcome=Outcome.AUTHORIZED)
    till.take_in(till.standin.deliveries.listing()[-1:])
    assert check_ledger(till.database, gateway="razorpay") == []
    till.clock.advance(timedelta(days=1, minutes=1))
    till.work()
    refund, capture = check_ledger(till.database, gateway="razorpay")
    assert f"of order {order_id} was ordered on 2026-01-15 and never sent" in refund
    assert f"of order {lapsing} is authorised and was never captured" in capture
    till.standin.faults.disarm()
    service.poll_open(till.database, till.gateway)
    assert check_ledger(till.database, gateway="razorpay") == []
    assert len(till.gateway.payment_refunds(till.payments(order_id)[0].gateway_payment_id)) == 1
