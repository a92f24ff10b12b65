"""A shop with affiliates in tests: programmes, affiliates, visitors who click and buy, and proofs over the ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.affiliates import service as affiliates
from transactional.affiliates.models import (
    Affiliate,
    CommissionBalance,
    CommissionLot,
    CommissionState,
    OrderAttribution,
    PayoutLot,
)
from transactional.affiliates.service import Browser, ClickRule, RateRow, Winner
from transactional.core.clock import ManualClock
from transactional.orders import service as orders
from transactional.payments import service as payments
from transactional.settings import Settings

BROWSER = Browser("203.0.113.7", "Mozilla/5.0", "en-IN")
SECRET = "a secret of the test"
WINDOW = timedelta(days=14)
"""The return window of the shop's default settings."""

HOME = {
    "phone": "+91 99000 11223",
    "line1": "7 Hill View",
    "postal_code": "411001",
    "country": "IN",
    "pay_to": "upi:asha@bank",
}


@dataclass
class Desk:
    """Every call is a unit of work of its own."""

    kit: TradeKit
    clock: ManualClock
    config: Settings

    @property
    def now(self) -> datetime:
        """The shop's present moment."""
        return self.kit.now

    def later(self, **time: float) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(**time))

    def programme(self, key: str = "friends", **version: Any) -> int:
        """A programme with its first version: 10 %, 30 days, last click, the code wins; gives its id."""

        def work(session: Session) -> int:
            programme = affiliates.create_programme(session, key=key, name=key.title(), actor="test", now=self.now)
            return programme.id

        programme_id = self.kit.run(work)
        self.version(programme_id, **version)
        return programme_id

    def version(self, programme_id: int, *, rates: Sequence[RateRow] = (), **values: Any) -> int:
        """A further version; gives its id."""
        figures = {
            "rate_bp": 1_000,
            "window_days": 30,
            "click_rule": ClickRule.LAST_CLICK,
            "winner": Winner.CODE,
            "min_payout_minor": 0,
        } | values
        return self.kit.run(
            lambda s: (
                affiliates.add_version(
                    s, programme_id=programme_id, rates=rates, actor="test", now=self.now, **figures
                ).id
            )
        )

    def affiliate(self, programme_id: int, email: str = "affiliate@example.com", **more: Any) -> int:
        """An active affiliate with an account; gives the id."""
        customer_id = self.kit.customer(email)
        approve = more.pop("approve", True)
        details = {**HOME, "full_name": "Asha Rao", **more}

        def work(session: Session) -> int:
            affiliate = affiliates.apply(
                session, customer_id=customer_id, programme_id=programme_id, now=self.now, **details
            )
            if approve:
                affiliates.approve(session, affiliate_id=affiliate.id, actor="test", now=self.now)
            return affiliate.id

        return self.kit.run(work)

    def deactivate(self, affiliate_id: int) -> None:
        """From now on nothing is earned."""
        self.kit.run(
            lambda s: (
                affiliates.deactivate(s, affiliate_id=affiliate_id, actor="test", now=self.now, note="for the test").id
            )
        )

    def code(self, affiliate_id: int, code: str) -> None:
        """A personal code."""
        self.kit.run(lambda s: affiliates.add_code(s, affiliate_id=affiliate_id, code=code, now=self.now).id)

    def click(self, affiliate_id: int, visitor: str | None = None, *, consent: bool = True) -> str | None:
        """Somebody follows a link of the affiliate; gives the visitor's id."""

        def work(session: Session) -> str | None:
            links = affiliates.links_of(session, affiliate_id)
            if not links:
                self._link(session, affiliate_id)
                links = affiliates.links_of(session, affiliate_id)
            return affiliates.follow(
                session,
                link=links[0].public_id,
                visitor_id=visitor,
                consent=consent,
                browser=BROWSER,
                secret=SECRET,
                now=self.now,
            ).visitor_id

        return self.kit.run(work)

    def _link(self, session: Session, affiliate_id: int) -> None:
        affiliates.add_link(session, affiliate_id=affiliate_id, landing="/", label="home", now=self.now)

    def buy(self, lines: Mapping[int, int], *, settle: bool = True, **more: Any) -> int:
        """A paid order; gives its id."""
        order_id = self.kit.buy(lines, settings=self.config, **more)
        if settle:
            self.settle(order_id)
        return order_id

    def settle(self, order_id: int) -> None:
        """Bring the order's commission and referral in line with it."""
        self.kit.run(lambda s: affiliates.settle(s, order_id=order_id, now=self.now, settings=self.config))

    def deliver(self, order_id: int) -> None:
        """Everything arrives."""
        self.kit.deliver(order_id)
        self.settle(order_id)

    def mature(self, order_id: int) -> None:
        """Delivered, and the return window is over."""
        self.deliver(order_id)
        self.clock.advance(WINDOW + timedelta(seconds=1))
        self.settle(order_id)

    def give_back(self, order_id: int, units: Mapping[int, int], *, cause: str) -> None:
        """The customer returns units (line → quantity)."""
        self.kit.run(
            lambda s: (
                orders.take_back(
                    s, order_id=order_id, units=units, cause=cause, actor="test", reason="test", now=self.now
                ).decision.refund_minor
            )
        )
        self.settle(order_id)

    def cancel(self, order_id: int) -> None:
        """The whole order is called off."""
        self.kit.run(lambda s: orders.cancel(s, order_id=order_id, actor="test", reason="test", now=self.now))
        self.settle(order_id)

    def captured(self, order_id: int) -> None:
        """The gateway's payment of the whole order, as the books have it."""
        total = self.kit.order(order_id).total_minor
        self.kit.run(
            lambda s: s.add(
                payments.Payment(
                    order_id=order_id,
                    gateway="razorpay",
                    gateway_payment_id=f"pay_{order_id}",
                    method="upi",
                    status=payments.PaymentStatus.CAPTURED,
                    currency="INR",
                    amount_minor=total,
                    captured_minor=total,
                    created_at=self.now,
                )
            )
        )

    def refund(self, order_id: int, amount_minor: int) -> None:
        """Money goes back without units."""

        def work(session: Session) -> None:
            (payment,) = payments.payments_of_order(session, order_id=order_id)
            payment.refunded_minor += amount_minor

        self.kit.run(work)
        self.settle(order_id)

    def pay_out(self, programme_id: int) -> int:
        """A batch of everything approved; gives its total."""
        return self.kit.run(
            lambda s: (
                affiliates.create_batch(
                    s, programme_id=programme_id, currency="INR", actor="test", now=self.now
                ).total_minor
            )
        )

    def attribution(self, order_id: int) -> OrderAttribution | None:
        """Whose the order is."""
        with self.kit.database.read() as session:
            return affiliates.attribution_of(session, order_id)

    def owner(self, order_id: int) -> int | None:
        """The affiliate who is credited."""
        found = self.attribution(order_id)
        return found.affiliate_id if found and found.outcome is affiliates.AttributionOutcome.CREDITED else None

    def lots(self, order_id: int) -> list[CommissionLot]:
        """The order's commission."""
        with self.kit.database.read() as session:
            return list(
                session.scalars(
                    select(CommissionLot).where(CommissionLot.order_id == order_id).order_by(CommissionLot.id)
                )
            )

    def balance(self, affiliate_id: int) -> CommissionBalance:
        """The affiliate's balance in rupees; zeros before the first commission."""
        with self.kit.database.read() as session:
            found = session.scalar(select(CommissionBalance).where(CommissionBalance.affiliate_id == affiliate_id))
        zeros = ("pending_minor", "approved_minor", "reversed_minor", "paid_minor", "owed_minor")
        return found or CommissionBalance(affiliate_id=affiliate_id, currency="INR", **dict.fromkeys(zeros, 0))

    def affiliate_row(self, affiliate_id: int) -> Affiliate:
        """The affiliate's record."""
        with self.kit.database.read() as session:
            return affiliates.get_affiliate(session, affiliate_id)

    def assert_sound(self) -> None:
        """Balances are the sums of entries and lots; nothing below zero; no lot is paid twice or out of its turn."""
        with self.kit.database.read() as session:
            assert affiliates.discrepancies(session) == []
            for balance in session.scalars(select(CommissionBalance)):
                assert balance.payable_minor >= 0
                assert balance.payable_minor == balance.approved_minor - balance.reversed_minor - balance.paid_minor
                assert balance.owed_minor == 0 or balance.payable_minor == 0, "debts are paid first"
            paid = dict(
                session.execute(
                    select(PayoutLot.lot_id, func.sum(PayoutLot.amount_minor)).group_by(PayoutLot.lot_id)
                ).all()
            )
            for lot in session.scalars(select(CommissionLot)):
                assert lot.paid_minor == paid.get(lot.id, 0)
                if lot.state is not CommissionState.PENDING and lot.approved_at is not None:
                    assert lot.approvable_at is not None
                    assert lot.approved_at > lot.approvable_at
