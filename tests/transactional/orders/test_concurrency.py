"""Everything at once on the same few orders: each unit goes one way, every ledger closes, nobody waits in a ring."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests.support.parallel import at_once, failures
from tests.support.trade import TradeKit
from transactional.core.errors import ShopError
from transactional.inventory import service as inventory
from transactional.orders import service
from transactional.orders.service import AddedUnits, OrderStatus, WantedChange
from transactional.orders.verification import verify_order

_STOCK = 500
_ROUNDS, _HANDS = 4, 16

Act = Callable[[Session, int, int], object]


class Hands:
    """People and machines that work on orders without looking at one another."""

    def __init__(self, kit: TradeKit, variants: list[int]) -> None:
        self.kit = kit
        self.variants = variants
        self.acts: list[Act] = [
            self.pack,
            self.send,
            self.hand_over,
            self.bring_home,
            self.take_back,
            self.call_off,
            self.call_off_all,
            self.change,
            self.decide,
            self.pay,
        ]

    def one(self, session: Session, order_id: int, dice: int) -> dict[int, int]:
        """A unit of one of the order's lines, perhaps of each, in any order."""
        lines = list(service.lines_of(session, order_id))
        random.Random(dice).shuffle(lines)
        return {line.id: 1 for line in lines[: 1 + dice % 2]}

    def pack(self, s: Session, order_id: int, _dice: int) -> object:
        return service.pack(s, order_id=order_id, actor="t", now=self.kit.now)

    def send(self, s: Session, order_id: int, dice: int) -> object:
        units = self.one(s, order_id, dice)
        return service.ship_parcel(s, order_id=order_id, units=units, actor="t", now=self.kit.now)

    def hand_over(self, s: Session, order_id: int, dice: int) -> object:
        units = self.one(s, order_id, dice)
        return service.parcel_delivered(s, order_id=order_id, units=units, actor="t", now=self.kit.now)

    def bring_home(self, s: Session, order_id: int, dice: int) -> object:
        units = self.one(s, order_id, dice)
        return service.parcel_came_back(s, order_id=order_id, units=units, actor="t", now=self.kit.now)

    def take_back(self, s: Session, order_id: int, dice: int) -> object:
        order = service.lock_order(s, order_id)
        units = self.one(s, order_id, dice)
        cause = f"return:{order_id}-{len(service.moves_of(s, order_id))}"
        given = service.take_back(
            s, order_id=order_id, units=units, cause=cause, actor="t", reason="r", now=self.kit.now
        )
        variants = {line.id: line.variant_id for line in service.lines_of(s, order_id)}
        for line_id in sorted(units, key=lambda line_id: variants[line_id]):
            inventory.restock(s, variant_id=variants[line_id], quantity=units[line_id], now=self.kit.now)
        service.settle_given(s, order, given, actor="t", now=self.kit.now)
        return given

    def call_off(self, s: Session, order_id: int, dice: int) -> object:
        units = self.one(s, order_id, dice)
        return service.cancel_units(s, order_id=order_id, units=units, actor="t", reason="r", now=self.kit.now)

    def call_off_all(self, s: Session, order_id: int, dice: int) -> object:
        if dice % 5:
            return self.send(s, order_id, dice)
        return service.cancel(s, order_id=order_id, actor="t", reason="r", now=self.kit.now)

    def change(self, s: Session, order_id: int, dice: int) -> object:
        wanted = WantedChange(
            remove=self.one(s, order_id, dice), add=[AddedUnits(self.variants[dice % len(self.variants)], 1)]
        )
        return service.draft_change(
            s, order_id=order_id, wanted=wanted, actor="t", reason="r", now=self.kit.now, may_unpack=True
        )

    def decide(self, s: Session, order_id: int, dice: int) -> object:
        change = service.open_change_of(s, order_id)
        if change is None:
            return None
        decide = service.apply_change if dice % 3 else service.decline_change
        return decide(s, change_id=change.id, actor="t", now=self.kit.now)

    def pay(self, s: Session, order_id: int, _dice: int) -> object:
        return service.mark_paid(s, order_id=order_id, paid_at=self.kit.now, actor="t")


@pytest.mark.postgres
@pytest.mark.slow
def test_everything_at_once_leaves_every_order_whole(pg_kit: TradeKit) -> None:
    kit, dice = pg_kit, random.Random(7)
    variants = [kit.variant(f"V{price}", price=price, stock=_STOCK) for price in (9_999, 33_335, 100_001)]
    asha = kit.customer()
    kit.give_points(asha, 500)
    kit.coupon("MIN", min_spend_minor=200_000)
    orders = [
        kit.buy(dict.fromkeys(dice.sample(variants, 3), 3), customer_id=asha, coupon="MIN", redeem_points=20)
        for _ in range(4)
    ]
    hands = Hands(kit, variants)
    for _ in range(_ROUNDS):
        works: list[Any] = []
        for _ in range(_HANDS):
            act, order_id, throw = dice.choice(hands.acts), dice.choice(orders), dice.randrange(1_000)
            works.append(
                lambda act=act, order_id=order_id, throw=throw: kit.run(lambda s: act(s, order_id, throw) and None)
            )
        works += [lambda: kit.buy({variants[2]: 1, variants[0]: 1}, email="b@example.com")] * 2
        strange = [error for error in failures(at_once(works)) if not isinstance(error, ShopError)]
        assert strange == []
        with kit.database.read() as session:
            assert {order_id: verify_order(session, order_id) for order_id in orders} == {key: [] for key in orders}
        kit.assert_sound()
    assert {kit.order(order_id).status for order_id in orders} != {OrderStatus.PAID}, "something has happened"
    gone = dict.fromkeys(variants, 0)
    for order_id in orders:
        for line in kit.lines(order_id):
            gone[line.variant_id] += line.shipped_quantity - line.came_back_quantity - line.returned_quantity
    assert {variant: _STOCK - kit.level(variant)[0] for variant in variants} == gone
