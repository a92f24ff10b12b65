"""The stock ledger against a model that is too simple to be wrong, over every sequence of steps that can be drawn.

The model keeps what lies where and who was promised what. After each step the shop must say the same, every level must
be proved by its movements and holds, nothing may be promised beyond what is allowed, and there is one alert a crossing.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from tests.conftest import START
from tests.support.trade import TradeKit
from tests.transactional.inventory.ledger_stage import (
    BACKORDER_LIMIT,
    BOX,
    LOW_MARK,
    OPENING,
    ORDERS,
    Stage,
    build_stage,
)
from transactional.core.clock import ManualClock
from transactional.core.db import make_engine
from transactional.core.errors import Conflict, OutOfStock
from transactional.core.uow import Database
from transactional.inventory import service
from transactional.inventory.models import HoldState, StockAlert
from transactional.inventory.service import SoldLine

T = TypeVar("T")


@pytest.fixture(scope="module")
def stage(_sqlite_template: Path) -> Iterator[Stage]:
    """Built once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "shop.db"
        shutil.copy(_sqlite_template, file)
        engine = make_engine(f"sqlite:///{file}")
        yield build_stage(TradeKit(Database(engine, ManualClock(START))), file)


@dataclass
class Promise:
    """What the model knows of a hold."""

    order: int
    ordered: str
    good: str
    place: int
    quantity: int
    expires: bool


class Shelf(RuleBasedStateMachine):
    """The shop and the model, step by step."""

    stage: Stage

    @initialize()
    def open_shop(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "shop.db"
        shutil.copy(self.stage.file, file)
        self.clock = ManualClock(START)
        self.database = Database(make_engine(f"sqlite:///{file}"), self.clock)
        self.on_hand = {
            (good, place): units
            for good, opening in OPENING.items()
            for place, units in zip(self.stage.places, opening, strict=True)
        }
        self.promises: list[Promise] = []
        self.crossings = 0

    def teardown(self) -> None:
        if hasattr(self, "database"):
            try:
                self._tell_again()
            finally:
                self.database.engine.dispose()
                self.folder.cleanup()

    # --- the model

    def reserved(self, good: str, place: int) -> int:
        return sum(p.quantity for p in self.promises if (p.good, p.place) == (good, place))

    def limit(self, good: str) -> int:
        return BACKORDER_LIMIT if good == "CARD" else 0

    def promisable(self, good: str, place: int) -> int:
        return self.on_hand[good, place] - self.reserved(good, place) + self.limit(good)

    def is_low(self, place: int) -> bool:
        return self.on_hand["LAMP", place] - self.reserved("LAMP", place) < LOW_MARK

    def do(self, work: Callable[[Session], T]) -> T:
        """A step of the shop; the model's crossings are counted around it by `step`."""
        return self.database.run(work, actor="test")

    def step(self, work: Callable[[Session], Any], change: Callable[[], None]) -> None:
        """Do the same to both. One step crosses a place's mark at most once."""
        was_low = {place: self.is_low(place) for place in self.stage.places}
        self.do(work)
        change()
        self.crossings += sum(self.is_low(place) and not was_low[place] for place in self.stage.places)

    def refused(self, work: Callable[[Session], Any], kind: type[Exception]) -> None:
        """The shop must not do it, and must be as before."""
        with pytest.raises(kind):
            self.do(work)

    @property
    def now(self) -> datetime:
        self.clock.advance(timedelta(seconds=1))
        return self.clock.now()

    # --- the steps

    goods = st.sampled_from(["CUP", "LAMP", "CARD"])
    place_numbers = st.integers(0, 1)
    order_numbers = st.integers(0, ORDERS - 1)
    units = st.integers(1, 6)

    @rule(good=goods, place=place_numbers, quantity=units)
    def receive(self, good: str, place: int, quantity: int) -> None:
        where, now = self.stage.places[place], self.now
        self.step(
            lambda s: service.receive(
                s, variant_id=self.stage.variants[good], location_id=where, quantity=quantity, reason="x", now=now
            ),
            lambda: self._put(good, where, quantity),
        )

    @rule(
        order=order_numbers,
        demand=st.dictionaries(st.sampled_from(["CUP", "LAMP", "CARD", "BOX"]), st.integers(1, 3), min_size=1),
        expires=st.booleans(),
    )
    def hold(self, order: int, demand: dict[str, int], *, expires: bool) -> None:
        self._hold(order, demand, expires=expires)

    @rule(order=order_numbers, boxes=st.integers(1, 3), cups=st.integers(0, 2), expires=st.booleans())
    def hold_boxes(self, order: int, boxes: int, cups: int, *, expires: bool) -> None:
        """A box, and cups besides: both need the same shelf."""
        self._hold(order, {"BOX": boxes} | ({"CUP": cups} if cups else {}), expires=expires)

    def _hold(self, order: int, demand: dict[str, int], *, expires: bool) -> None:
        order_id, now = self.stage.orders[order][0], self.now
        parts = [(name, good, n * units) for name, n in demand.items() for good, units in self._parts(name).items()]
        needed = {good: sum(n for _, part, n in parts if part == good) for _, good, _ in parts}
        chosen = {
            good: next((place for place in self.stage.places if self.promisable(good, place) >= n), None)
            for good, n in needed.items()
        }

        def work(session: Session) -> None:
            service.hold(
                session,
                order_id=order_id,
                demand={self.stage.variants[name]: n for name, n in demand.items()},
                expires_at=now + timedelta(minutes=15) if expires else None,
                now=now,
            )

        if None in chosen.values():
            self.refused(work, OutOfStock)
            return
        new = [Promise(order, name, good, chosen[good] or 0, n, expires) for name, good, n in parts]
        self.step(work, lambda: self.promises.extend(new))

    @rule(order=order_numbers)
    def confirm(self, order: int) -> None:
        mine = [promise for promise in self.promises if promise.order == order]
        assert self.do(lambda s: service.confirm_holds(s, self.stage.orders[order][0])) == len(mine) + 1
        for promise in mine:
            promise.expires = False

    @rule(order=order_numbers)
    def extend(self, order: int) -> None:
        later = self.now + timedelta(days=1)
        waiting = [promise for promise in self.promises if promise.order == order and promise.expires]
        order_id = self.stage.orders[order][0]
        assert self.do(lambda s: service.extend_holds(s, order_id, expires_at=later)) == len(waiting)
        assert self.do(lambda s: service.extend_holds(s, order_id, expires_at=later)) == 0

    @precondition(lambda self: self.promises)
    @rule(number=st.integers(0, 20), quantity=st.integers(1, 3))
    def ship_a_part(self, number: int, quantity: int) -> None:
        """A parcel takes units of one line."""
        self._end_a_part(number, quantity, leaves=True)

    @precondition(lambda self: self.promises)
    @rule(number=st.integers(0, 20), quantity=st.integers(1, 3))
    def cancel_a_part(self, number: int, quantity: int) -> None:
        """Units of one line are not wanted any more."""
        self._end_a_part(number, quantity, leaves=False)

    def _end_a_part(self, number: int, quantity: int, *, leaves: bool) -> None:
        promise = self.promises[number % len(self.promises)]
        order, name = promise.order, promise.ordered
        order_id, line = self.stage.orders[order]
        variant, now = self.stage.variants[name], self.now

        def work(session: Session) -> None:
            if leaves:
                lines = [SoldLine(line, variant, quantity)]
                service.fulfil_units(session, order_id=order_id, lines=lines, now=now)
            else:
                service.release_units(session, order_id=order_id, units={variant: quantity}, now=now)

        wanted = {good: quantity * units for good, units in self._parts(name).items()}
        held = {good: sum(p.quantity for p in self._of(order, name, good)) for good in wanted}
        if any(held[good] < n for good, n in wanted.items()):
            self.refused(work, Conflict)
            return
        self.step(work, lambda: self._end(order, name, wanted, leaves=leaves))

    @precondition(lambda self: self.promises)
    @rule(order=order_numbers, how=st.sampled_from(["release", "expire", "fulfil"]))
    def end_the_rest(self, order: int, how: str) -> None:
        """Everything that the order still holds; a second time there is nothing left."""
        order_id, line = self.stage.orders[order]
        lines = [SoldLine(line, self.stage.variants[p.ordered], 1) for p in self.promises if p.order == order]

        def work(session: Session) -> None:
            if how == "fulfil":
                service.fulfil_holds(session, order_id, lines=lines, now=self.clock.now())
            else:
                state = HoldState.RELEASED if how == "release" else HoldState.EXPIRED
                service.release_holds(session, order_id, state=state, now=self.clock.now())

        self.clock.advance(timedelta(seconds=1))
        self._keep_the_ticket(order_id)

        def change() -> None:
            for promise in [p for p in self.promises if p.order == order]:
                self._end(order, promise.ordered, {promise.good: promise.quantity}, leaves=how == "fulfil")

        self.step(work, change)
        self.step(work, lambda: None)
        self._hold_the_ticket(order_id)

    @rule(name=st.sampled_from(["CUP", "LAMP", "CARD", "BOX"]), place=place_numbers, quantity=st.integers(1, 3))
    def come_back(self, name: str, place: int, quantity: int) -> None:
        where, now = self.stage.places[place], self.now

        def change() -> None:
            for good, units in self._parts(name).items():
                self._put(good, where, quantity * units)

        variant = self.stage.variants[name]
        self.step(
            lambda s: service.restock(s, variant_id=variant, quantity=quantity, location_id=where, now=now), change
        )

    @rule(good=goods, source=place_numbers, quantity=units)
    def transfer(self, good: str, source: int, quantity: int) -> None:
        here, there, now = self.stage.places[source], self.stage.places[1 - source], self.now

        def work(session: Session) -> None:
            service.transfer(
                session,
                variant_id=self.stage.variants[good],
                from_location_id=here,
                to_location_id=there,
                quantity=quantity,
                reason="x",
                now=now,
            )

        def change() -> None:
            self._put(good, here, -quantity)
            self._put(good, there, quantity)

        if self.promisable(good, here) < quantity:
            self.refused(work, Conflict)
        else:
            self.step(work, change)

    @rule(good=goods, place=place_numbers, quantity=st.integers(-6, 6).filter(bool))
    def adjust(self, good: str, place: int, quantity: int) -> None:
        where, now = self.stage.places[place], self.now

        def work(session: Session) -> None:
            service.adjust(
                session,
                variant_id=self.stage.variants[good],
                location_id=where,
                quantity=quantity,
                reason="x",
                now=now,
            )

        if quantity < 0 and self.promisable(good, where) < -quantity:
            self.refused(work, Conflict)
        else:
            self.step(work, lambda: self._put(good, where, quantity))

    @rule(good=goods, place=place_numbers, counted=st.integers(0, 8))
    def count(self, good: str, place: int, counted: int) -> None:
        where, now = self.stage.places[place], self.now
        difference = counted - self.on_hand[good, where]

        def work(session: Session) -> None:
            service.count(
                session,
                variant_id=self.stage.variants[good],
                location_id=where,
                counted=counted,
                reason="x",
                now=now,
            )

        if difference < 0 and self.promisable(good, where) < -difference:
            self.refused(work, Conflict)
        else:
            self.step(work, lambda: self._put(good, where, difference))

    # --- what must always hold

    @invariant()
    def the_shop_says_what_the_model_says(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.read() as session:
            assert service.discrepancies(session) == []
            levels = {(row.variant_id, row.location_id): row for row in service.levels(session, limit=100)}
            saleable = service.saleable(session, list(self.stage.variants.values()))
            alerts = session.query(StockAlert).all()
        for (good, place), on_hand in self.on_hand.items():
            level = levels[self.stage.variants[good], place]
            assert (level.on_hand, level.reserved) == (on_hand, self.reserved(good, place))
            assert level.on_hand - level.reserved >= -self.limit(good)
        assert saleable == {self.stage.variants[name]: units for name, units in self._best().items()}
        assert len(alerts) == self.crossings
        assert {alert.location_id for alert in alerts if alert.closed_at is None} == {
            place for place in self.stage.places if self.is_low(place)
        }

    def _tell_again(self) -> None:
        """The present position follows from movements and holds alone."""
        with self.database.read() as session:
            for (good, place), on_hand in self.on_hand.items():
                told = service.position_at(
                    session, variant_id=self.stage.variants[good], location_id=place, at=self.clock.now()
                )
                assert (told.on_hand, told.reserved) == (on_hand, self.reserved(good, place))

    def _best(self) -> dict[str, int]:
        """How many of each one order can have."""
        best = {good: max(0, *(self.promisable(good, place) for place in self.stage.places)) for good in OPENING}
        best["BOX"] = min(best[good] // units for good, units in BOX.items())
        return best

    # --- small things

    def _parts(self, name: str) -> dict[str, int]:
        return BOX if name == "BOX" else {name: 1}

    def _put(self, good: str, place: int, quantity: int) -> None:
        self.on_hand[good, place] += quantity

    def _of(self, order: int, name: str, good: str) -> list[Promise]:
        return [p for p in self.promises if (p.order, p.ordered, p.good) == (order, name, good)]

    def _end(self, order: int, name: str, wanted: dict[str, int], *, leaves: bool) -> None:
        """The oldest promises end first."""
        for good, quantity in wanted.items():
            left = quantity
            for promise in self._of(order, name, good):
                ended = min(left, promise.quantity)
                promise.quantity -= ended
                left -= ended
                if leaves:
                    self._put(good, promise.place, -ended)
        self.promises = [promise for promise in self.promises if promise.quantity]

    def _ticket(self) -> int:
        return 1

    def _keep_the_ticket(self, order_id: int) -> None:
        """The order's own unit, which made its row possible, is none of the model's business."""
        self.do(lambda s: service.release_units(s, order_id=order_id, units={self._ticket(): 1}, now=self.clock.now()))

    def _hold_the_ticket(self, order_id: int) -> None:
        self.do(
            lambda s: service.hold(
                s, order_id=order_id, demand={self._ticket(): 1}, expires_at=None, now=self.clock.now()
            )
        )


@pytest.mark.slow
def test_every_sequence_of_steps_leaves_the_ledger_sound(stage: Stage) -> None:
    machine = type("ShelfOfThisShop", (Shelf,), {"stage": stage})
    run_state_machine_as_test(machine, settings=settings(max_examples=30, stateful_step_count=25, deadline=None))
