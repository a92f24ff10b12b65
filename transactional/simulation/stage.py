"""What every actor of the simulation needs at hand: shop, clock, gateway, chance, and what is planned."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

from sqlalchemy.orm import Session

from transactional.core.clock import ManualClock
from transactional.core.uow import Database
from transactional.payments.service import PaymentGateway
from transactional.payments_standin.gateway import Gateway
from transactional.settings import Settings
from transactional.shipping.carrier import Carrier
from transactional.shipping_standin.carrier import Carrier as Office
from transactional.simulation.agenda import Agenda
from transactional.simulation.choosing import Tastes
from transactional.simulation.shelf import Shelf
from transactional.simulation.shoppers import Shopper

T = TypeVar("T")

STAFF = "staff"
"""The name under which the journal knows the people in the store room and at the desk."""


@dataclass(slots=True)
class Stage:
    """One simulated shop. `counts` says how often what happened; `password_hash` is every shopper's."""

    database: Database
    clock: ManualClock
    settings: Settings
    standin: Gateway
    gateway: PaymentGateway
    office: Office
    """The stand-in of the parcel carrier."""
    carrier: Carrier
    rng: Random
    shelf: Shelf
    tastes: Tastes
    password_hash: str
    begin: datetime
    end: datetime
    """The history's bounds."""
    agenda: Agenda = field(default_factory=Agenda)
    counts: Counter[str] = field(default_factory=Counter)
    shoppers: list[Shopper] = field(default_factory=list)
    """Everybody who will ever come."""

    @property
    def now(self) -> datetime:
        """The shop's present moment."""
        return self.clock.now()

    def work(self, actor: str, job: Callable[[Session], T]) -> T:
        """A unit of work in somebody's name."""
        with self.database.unit_of_work(actor=actor) as session:
            return job(session)

    def look(self, question: Callable[[Session], T]) -> T:
        """Ask the shop's database without writing."""
        with self.database.read() as session:
            return question(session)

    def later(self, delay: timedelta, action: Callable[[], object]) -> None:
        """Plan an action."""
        self.agenda.at(self.now + delay, lambda _: action())

    def plan_work(self, delay: timedelta, actor: str, job: Callable[[Session, datetime], object]) -> None:
        """Plan a unit of work in somebody's name; it is told its moment."""

        def act(moment: datetime) -> None:
            self.work(actor, lambda session: job(session, moment))

        self.agenda.at(self.now + delay, act)

    def chance(self, probability: float) -> bool:
        """Whether it happens this time."""
        return self.rng.random() < probability

    def after(self, low: float, high: float) -> timedelta:
        """Some hours between `low` and `high`."""
        return timedelta(hours=self.rng.uniform(low, high))


def actor_of(shopper: Shopper) -> str:
    """The name under which the journal knows a shopper."""
    return f"customer:{shopper.customer_id}" if shopper.customer_id is not None else "anonymous"
