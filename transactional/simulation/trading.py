"""The history: found the shop, let its shoppers come and go, do the shop's daily work, keep what is true."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional import tables
from transactional.core.clock import ManualClock
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.payments.service import gateway_in_use
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.in_process import connect
from transactional.settings import Settings
from transactional.shipping.provider import carrier_in_use
from transactional.simulation import carriage, news, nights, truth, visiting, world
from transactional.simulation.choosing import Tastes
from transactional.simulation.feasts import feasts_between
from transactional.simulation.shoppers import Shopper, Visit, make_shopper, plan_visits
from transactional.simulation.stage import Stage
from transactional.wiring import wire

_CURRENCY = "INR"
_TIME_ZONE = "Asia/Kolkata"

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much history: its shoppers, its days, its last day's end, and the seed that fixes everything."""

    customers: int
    days: int
    seed: int
    end: datetime


class ShopNotEmpty(Exception):
    """A shop that has traded is not mixed with made-up history."""


def simulate(
    database: Database, plan: Plan, *, settings: Settings, password: str, progress: Progress = lambda _: None
) -> tuple[dict[str, int], dict[str, Any]]:
    """Let the shop trade; gives what happened how often, and the truth about its shoppers.

    Raises ShopNotEmpty for a shop with customers, orders or products.
    """
    with database.read() as session:
        require_empty(session)
    wire()
    clock = ManualClock(plan.end - timedelta(days=plan.days))
    shop = Database(database.engine, clock)
    config = settings.model_copy(update={"base_currency": _CURRENCY, "time_zone": _TIME_ZONE})
    standin = Gateway(StandInConfig(seed=plan.seed), clock=clock)
    office = carriage.open_office(clock, seed=plan.seed)
    with (
        gateway_in_use(connect(standin, name="simulated")) as gateway,
        carrier_in_use(carriage.open_account(office, shop, config)) as carrier,
    ):
        rng = Random(plan.seed)  # noqa: S311  made-up people, not secrets
        feasts = feasts_between(clock.now().date(), plan.end.date() + timedelta(days=14))
        with shop.unit_of_work(actor="founder") as session:
            shelf = world.found(
                session, settings=config, now=clock.now(), end=plan.end, feasts=feasts, password=password, rng=rng
            )
        stage = Stage(
            database=shop,
            clock=clock,
            settings=config,
            standin=standin,
            gateway=gateway,
            office=office,
            carrier=carrier,
            rng=rng,
            shelf=shelf,
            tastes=Tastes(rng),
            password_hash=PasswordHasher.cheap().hash(password),
            begin=clock.now(),
            end=plan.end,
        )
        shoppers = _invite(stage, plan)
        _trade(stage, plan, progress)
    return dict(sorted(stage.counts.items())), truth.tell(stage, shoppers, seed=plan.seed, end=plan.end)


def require_empty(session: Session) -> None:
    """Raises ShopNotEmpty for a shop with customers, orders or products."""
    for name in ("orders", "products", "customers"):
        if session.scalar(select(tables.metadata.tables[name].c.id).limit(1)) is not None:
            raise ShopNotEmpty(f"this shop has {name} already; simulate into an empty database")


def _invite(stage: Stage, plan: Plan) -> list[Shopper]:
    """Draw the shoppers and put all their visits on the agenda."""
    start = stage.now
    feasts = feasts_between(start.date(), plan.end.date())
    shoppers = [make_shopper(stage.rng, number, start=start, end=plan.end) for number in range(1, plan.customers + 1)]
    stage.shoppers += shoppers
    for shopper in shoppers:
        if not shopper.is_guest:
            stage.agenda.at(shopper.joined, partial(_register, stage, shopper))
        for planned in plan_visits(stage.rng, shopper, feasts, end=plan.end):
            stage.agenda.at(planned.moment, partial(_visit, stage, planned))
    return shoppers


def _register(stage: Stage, shopper: Shopper, _now: datetime) -> None:
    visiting.register(stage, shopper)


def _visit(stage: Stage, planned: Visit, _now: datetime) -> None:
    visiting.visit(stage, planned)


def _trade(stage: Stage, plan: Plan, progress: Progress) -> None:
    night = datetime.combine(stage.now.date(), news.EVENING, tzinfo=UTC)
    while night < plan.end:
        stage.agenda.at(night, lambda _: nights.work(stage))
        night += timedelta(days=1)
    month = 0
    for moment, action in stage.agenda.until(plan.end):
        # A visit may have pushed the clock ahead by the minutes that paying takes; it never runs backwards.
        stage.clock.set(max(moment, stage.now))
        action(stage.now)
        if moment.month != month:
            month = moment.month
            progress(f"{moment:%B %Y}: {stage.counts['orders']} orders so far")
    stage.clock.set(plan.end)
    nights.last(stage)
