"""The commission ledger against a model of a few lines, through any life of orders, returns, refunds and payouts."""

from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.transactional.affiliates.desk import WINDOW, Desk
from transactional.affiliates.models import OrderAttribution
from transactional.core.errors import Conflict

RATE_BP = 1_234


@dataclass
class Sale:
    """What the model knows of an order."""

    order_id: int
    line_id: int
    units: int
    unit_commission: int
    returned: int = 0
    delivered: bool = False
    approved: bool = False

    @property
    def worth(self) -> int:
        """Commission on what is kept."""
        return (self.units - self.returned) * self.unit_commission


class CommissionMachine(RuleBasedStateMachine):
    """One affiliate; the model is a list of sales and one figure, what was paid."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.serial = desk.kit.count(OrderAttribution)
        self.programme = desk.programme(f"p{self.serial}-{desk.now.timestamp():.0f}-{id(self)}"[:40], rate_bp=RATE_BP)
        self.affiliate = desk.affiliate(self.programme, f"a{id(self)}@{desk.now.timestamp():.0f}.example")
        self.sales: list[Sale] = []
        self.paid = 0
        self.active = True

    @initialize(returned=st.integers(0, 4))
    def begin_with_a_payout(self, returned: int) -> None:
        """Debts need a payout before them; chance alone seldom makes one."""
        self.buy(units=4, price=100_000, arrives=True)
        self.windows_end_and_everybody_is_paid()
        if returned:
            self.give_back(which=0, units=returned)

    @rule(units=st.integers(1, 4), price=st.sampled_from([1, 99, 12_345, 100_000]), arrives=st.booleans())
    def buy(self, units: int, price: int, *, arrives: bool) -> None:
        name = f"{self.programme}-{len(self.sales)}-{id(self)}"
        variant = self.desk.kit.variant(name, price=price, stock=9)
        visitor = self.desk.click(self.affiliate)
        order = self.desk.buy({variant: units}, visitor_id=visitor, email=f"b{name}@example.com")
        (line,) = self.desk.kit.lines(order)
        commission = price * RATE_BP // 10_000 if self.active else 0
        self.sales.append(Sale(order, line.id, units, commission))
        if arrives:
            self.deliver_sale(self.sales[-1])

    @precondition(lambda self: self.sales)
    @rule(which=st.integers(0, 99))
    def deliver(self, which: int) -> None:
        self.deliver_sale(self.sales[which % len(self.sales)])

    def deliver_sale(self, sale: Sale) -> None:
        if not sale.delivered:
            self.desk.deliver(sale.order_id)
            sale.delivered = True

    @precondition(lambda self: any(sale.delivered for sale in self.sales))
    @rule(which=st.integers(0, 99), units=st.integers(1, 4))
    def give_back(self, which: int, units: int) -> None:
        delivered = [sale for sale in self.sales if sale.delivered]
        sale = delivered[which % len(delivered)]
        units = min(units, sale.units - sale.returned)
        if units:
            cause = f"return:{sale.order_id}:{sale.returned}"
            self.desk.give_back(sale.order_id, {sale.line_id: units}, cause=cause)
            sale.returned += units

    @rule()
    def windows_end(self) -> None:
        self.desk.clock.advance(WINDOW * 2)
        for sale in self.sales:
            self.desk.settle(sale.order_id)
            sale.approved = sale.approved or sale.delivered

    @rule(which=st.integers(0, 99))
    def look_again(self, which: int) -> None:
        if self.sales:
            self.desk.settle(self.sales[which % len(self.sales)].order_id)

    @rule()
    def windows_end_and_everybody_is_paid(self) -> None:
        self.windows_end()
        self.pay_out()

    @rule()
    def pay_out(self) -> None:
        due = self.payable
        try:
            assert self.desk.pay_out(self.programme) == due
        except Conflict:
            assert due == 0
        self.paid += due

    @precondition(lambda self: self.active and len(self.sales) > 5)
    @rule()
    def deactivate(self) -> None:
        self.desk.deactivate(self.affiliate)
        self.active = False

    @property
    def earned(self) -> int:
        return sum(sale.worth for sale in self.sales if sale.approved)

    @property
    def payable(self) -> int:
        return max(0, self.earned - self.paid)

    @invariant()
    def the_ledger_is_the_model(self) -> None:
        balance = self.desk.balance(self.affiliate)
        assert balance.pending_minor == sum(sale.worth for sale in self.sales if not sale.approved)
        assert balance.paid_minor == self.paid
        assert balance.payable_minor == self.payable
        assert balance.owed_minor == max(0, self.paid - self.earned)

    def teardown(self) -> None:
        self.desk.assert_sound()


@pytest.mark.slow
def test_the_ledger_is_its_model_whatever_happens(desk: Desk) -> None:
    run_state_machine_as_test(
        lambda: CommissionMachine(desk),
        settings=hypothesis_settings(
            max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
