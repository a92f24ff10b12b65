"""The shop that trades by itself: shoppers come, choose, pay, complain and leave, on the shop's own services."""

import random
from collections import Counter as Tally
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.orm import Session

from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.profile import ensure_profile
from transactional.core.uow import Database
from transactional.loyalty import service as loyalty
from transactional.orders import service as orders
from transactional.orders.service import Order, OrderStatus
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments.service import gateway_in_use
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.transport import InProcessAdapter
from transactional.promotions import service as promotions
from transactional.settings import Settings
from transactional.simulation import aftercare
from transactional.simulation.aftercare import soon
from transactional.simulation.agenda import Agenda
from transactional.simulation.calendar import feasts, yearly
from transactional.simulation.choosing import basket, consider
from transactional.simulation.counter import Counter, Wish
from transactional.simulation.gifts import Shelved, stock_shelves
from transactional.simulation.shoppers import Shopper, make_shopper
from transactional.wiring import wire

_CAMPAIGNS = {"diwali": ("DIWALI15", 1_500), "valentines_day": ("LOVE10", 1_000), "christmas": ("XMAS12", 1_200)}
_WELCOME = "WELCOME10"


@dataclass(frozen=True, slots=True)
class Plan:
    """How many shoppers, how long, until when, from which seed."""

    customers: int
    days: int
    seed: int
    end: date

    @property
    def first(self) -> date:
        """The first day of trade."""
        return self.end - timedelta(days=self.days)


class Simulation:
    """One run. The same plan on an empty shop gives the same trade."""

    def __init__(self, database: Database, clock: ManualClock, settings: Settings, plan: Plan) -> None:
        self.plan = plan
        self.rng = random.Random(plan.seed)  # noqa: S311  a reproducible history, not a secret
        self.clock = clock
        self.database = database
        bank = Gateway(
            StandInConfig(
                key_id=settings.razorpay_key_id,
                key_secret=settings.razorpay_key_secret.get_secret_value(),
                seed=plan.seed,
                oddities=False,
            ),
            clock=clock,
        )
        self.gateway = RazorpayGateway.from_settings(settings, adapter=lambda: InProcessAdapter(bank))
        self.counter = Counter(database, clock, bank, self.gateway, settings)
        self.agenda = Agenda(until=_at(plan.end, 23))
        self.tally: Tally[str] = Tally()
        self.shelves: dict[str, Shelved] = {}
        self.range: list[Shelved] = []
        self.shoppers: list[Shopper] = []

    def run(self, progress: Callable[[date], None] = lambda _day: None) -> None:
        """Trade from the first day to the last."""
        wire()
        self._open()
        with gateway_in_use(self.gateway):
            month = None
            while (due := self.agenda.next()) is not None:
                moment, action = due
                self.clock.set(moment)
                if moment.month != month:
                    month = moment.month
                    progress(moment.date())
                action(moment)
            self.clock.set(_at(self.plan.end, 23))
            self._settle(self.clock.now())

    # --- opening -----------------------------------------------------------------------------------------------

    def _open(self) -> None:
        opening = _at(self.plan.first, 0)
        self.clock.set(opening)
        with self.database.unit_of_work(actor="simulation") as session:
            ensure_profile(session, self.counter.settings, now=opening)
            loyalty.ensure_programme(session, now=opening)
            self.shelves = stock_shelves(session, currency=self.counter.settings.base_currency, now=opening)
            self._campaigns(session, opening)
        self.range = list(self.shelves.values())
        gifts = [item.gift for item in self.range]
        for number in range(1, self.plan.customers + 1):
            shopper = make_shopper(self.rng, number, gifts, self.plan.first, self.plan.end)
            self.shoppers.append(shopper)
            self.agenda.add(self._daytime(shopper.joins), lambda _at, who=shopper: self._join(who))
        day = self.plan.first
        while day <= self.plan.end:
            self.agenda.add(_at(day, 3), self._settle)
            if day.weekday() == 0:
                self.agenda.add(_at(day, 4), lambda _at: aftercare.reorder(self.counter))
            day += timedelta(days=1)

    def _campaigns(self, session: Session, opening: datetime) -> None:
        promotions.create_percentage_coupon(
            session,
            code=_WELCOME,
            percent_bp=1_000,
            name="Ten percent off the first order",
            starts_at=opening,
            max_discount_minor=30_000,
            per_customer_limit=1,
        )
        for feast in feasts(self.plan.first, self.plan.end):
            if feast.occasion in _CAMPAIGNS:
                code, percent = _CAMPAIGNS[feast.occasion]
                promotions.create_percentage_coupon(
                    session,
                    code=f"{code}-{feast.day.year}",
                    percent_bp=percent,
                    name=f"{feast.occasion.replace('_', ' ').title()} {feast.day.year}",
                    starts_at=_at(feast.day - timedelta(days=21), 0),
                    ends_at=_at(feast.day + timedelta(days=1), 0),
                    max_discount_minor=50_000,
                    min_spend_minor=50_000,
                    per_customer_limit=2,
                )

    # --- shoppers' lives ---------------------------------------------------------------------------------------

    def _join(self, shopper: Shopper) -> None:
        self.counter.register(shopper)
        self.tally["shoppers"] += 1
        self._visit(shopper, None, eagerness=0.45)
        self._plan_next_visit(shopper)
        for feast in feasts(shopper.joins, self.plan.end):
            if self.rng.random() < shopper.feasts[feast.occasion]:
                self._plan_occasion(shopper, feast.occasion, feast.day)
        for year in range(shopper.joins.year, self.plan.end.year + 1):
            for recipient in shopper.recipients:
                if self.rng.random() < 0.55:
                    self._plan_occasion(shopper, recipient.occasion, yearly(recipient.day, year))

    def _plan_next_visit(self, shopper: Shopper) -> None:
        gap = self.rng.expovariate(max(0.05, shopper.visits_per_month) / 30)
        moment = self._daytime((self.clock.now() + timedelta(days=max(1.0, gap))).date())
        self.agenda.add(moment, lambda _at: self._come_by(shopper))

    def _come_by(self, shopper: Shopper) -> None:
        if not shopper.gone:
            self._visit(shopper, None, eagerness=0.16)
            self._plan_next_visit(shopper)

    def _plan_occasion(self, shopper: Shopper, occasion: str, day: date) -> None:
        ahead = self.rng.randint(4, 14)
        moment = self._daytime(day - timedelta(days=ahead))
        if moment.date() > shopper.joins:
            self.agenda.add(moment, lambda _at: shopper.gone or self._visit(shopper, occasion, eagerness=0.62))

    def _visit(self, shopper: Shopper, occasion: str | None, *, eagerness: float) -> None:
        self.tally["visits"] += 1
        considered = consider(self.rng, shopper, self.range, occasion)
        buys = self.rng.random() < eagerness
        carts = buys or self.rng.random() < 0.2
        chosen = basket(self.rng, considered, self.shelves, occasion) if carts else []
        self.counter.browse(self.rng, shopper, considered, chosen)
        if not carts:
            return
        wish = Wish(
            basket=chosen,
            occasion=occasion,
            coupon=self._coupon(shopper),
            redeem=self.rng.random() < shopper.uses_points * 0.6,
            on_delivery=self.rng.random() < 0.1,
        )
        cart_id = self.counter.fill_cart(shopper, wish)
        if not buys:
            self.tally["abandoned carts"] += 1
            return
        order = self.counter.place(shopper, cart_id, wish)
        if order is None:
            self.tally["refused checkouts"] += 1
            return
        self._pay(shopper, order, chosen)

    def _coupon(self, shopper: Shopper) -> str | None:
        if self.rng.random() >= shopper.uses_coupons * 0.7:
            return None
        today = self.clock.now().date()
        for feast in feasts(today, min(self.plan.end, today + timedelta(days=20))):
            if feast.occasion in _CAMPAIGNS:
                return f"{_CAMPAIGNS[feast.occasion][0]}-{feast.day.year}"
        return None if shopper.bought else _WELCOME

    # --- orders' lives -----------------------------------------------------------------------------------------

    def _pay(self, shopper: Shopper, order: Order, chosen: list[tuple[Shelved, int]]) -> None:
        self.tally["orders"] += 1
        method = self.rng.choices(("upi", "card", "netbanking", "wallet"), (0.6, 0.25, 0.1, 0.05))[0]
        if order.status is OrderStatus.AWAITING_PAYMENT and order.expires_at is not None:
            while self.rng.random() < 0.09:
                self.counter.pay(order, method=method, outcome="failed")
                self.tally["failed payments"] += 1
                if self.rng.random() < 0.35:
                    return
            outcome = "captured" if self.rng.random() < 0.7 else "authorized"
            self.counter.pay(order, method=method, outcome=outcome)
        for item, _ in chosen:
            shopper.bought[item.gift.sku] = shopper.bought.get(item.gift.sku, 0) + 1
        shopper.gone = self.rng.random() < shopper.leaves_after_order
        ships = soon(self.rng, self.clock.now(), 0.6, 2.0)
        self.agenda.add(ships, lambda moment: self._ship(shopper, order, moment))

    def _ship(self, shopper: Shopper, order: Order, moment: datetime) -> None:
        if self.rng.random() < 0.015:
            with self.database.unit_of_work(actor="simulation") as session:
                orders.cancel(session, order_id=order.id, actor="simulation", reason="changed my mind", now=moment)
            self.tally["cancelled orders"] += 1
            return
        self.counter.pack_and_ship(order.id)
        days = self.rng.gammavariate(4, 0.9)
        self.agenda.add(moment + timedelta(days=1 + days), lambda at: self._deliver(shopper, order, days, at))

    def _deliver(self, shopper: Shopper, order: Order, days: float, moment: datetime) -> None:
        self.counter.deliver(order.id)
        self.tally["deliveries"] += 1
        happiness = self.rng.betavariate(6, 1.6) - (0.25 if days > 6 else 0.0)
        if self.rng.random() < shopper.writes_reviews:
            self.agenda.add(soon(self.rng, moment, 1, 9), lambda _at: self._review(shopper, order, happiness))
        if self.rng.random() < (0.25 if happiness < 0.55 else 0.02):
            self.agenda.add(soon(self.rng, moment, 1, 8), lambda _at: self._send_back(order))
        if self.rng.random() < shopper.complains + (0.2 if happiness < 0.5 else 0.0):
            self.agenda.add(soon(self.rng, moment, 0.1, 4), lambda _at: self._complain(shopper, order))

    def _review(self, shopper: Shopper, order: Order, happiness: float) -> None:
        written = aftercare.review_order(self.rng, self.counter, shopper, order.id, happiness)
        self.tally["reviews"] += len(written)
        later = soon(self.rng, self.clock.now(), 0.2, 2)
        self.agenda.add(later, lambda _at: aftercare.moderate(self.rng, self.counter, written))

    def _send_back(self, order: Order) -> None:
        return_id = aftercare.request_return(self.rng, self.counter, order.id)
        self.tally["returns"] += 1
        later = soon(self.rng, self.clock.now(), 2, 6)
        self.agenda.add(later, lambda _at: aftercare.settle_return(self.rng, self.counter, return_id))

    def _complain(self, shopper: Shopper, order: Order) -> None:
        ticket = aftercare.ask_for_help(self.rng, self.counter, shopper, order.order_number)
        self.tally["tickets"] += 1
        answered = soon(self.rng, self.clock.now(), 0.05, 1.5)
        self.agenda.add(answered, lambda _at: aftercare.answer(self.counter, ticket))
        self.agenda.add(soon(self.rng, answered, 0.2, 4), lambda _at: aftercare.resolve(self.counter, ticket))

    # --- the shop's own day ------------------------------------------------------------------------------------

    def _settle(self, moment: datetime) -> None:
        """What the worker would have done: unpaid orders, points, refunds, mails."""
        with self.database.unit_of_work(actor="worker") as session:
            orders.expire_unpaid(session, now=moment)
            loyalty.activate_due(session, now=moment)
            loyalty.expire_due(session, now=moment)
        outbox.drain(self.database, limit=100_000)

    def _daytime(self, day: date) -> datetime:
        return _at(day, 4) + timedelta(minutes=self.rng.uniform(0, 14 * 60))


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), tzinfo=UTC)
