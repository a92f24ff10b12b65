"""The history: found the shop, let its shoppers come and go, do the shop's daily work, keep what is true."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import orjson
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional import tables
from transactional.core import outbox
from transactional.core.clock import ManualClock
from transactional.core.mail import TOPIC as MAIL
from transactional.core.security import PasswordHasher
from transactional.core.uow import Database
from transactional.loyalty import jobs as loyalty_jobs
from transactional.orders import jobs as order_jobs
from transactional.orders.service import STATUS_CHANGED
from transactional.payments.service import gateway_in_use
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.in_process import connect
from transactional.settings import Settings
from transactional.simulation import visiting, world
from transactional.simulation.choosing import Tastes
from transactional.simulation.feasts import feasts_between
from transactional.simulation.gifts import GIFTS
from transactional.simulation.shoppers import Shopper, Visit, make_shopper, plan_visits
from transactional.simulation.stage import Stage
from transactional.wiring import wire

_NIGHT = time(21, 30)
"""Three in the morning in India, when the shop does its daily work."""
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
    with gateway_in_use(connect(standin, name="simulated")) as gateway:
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
            rng=rng,
            shelf=shelf,
            tastes=Tastes(rng),
            password_hash=PasswordHasher.cheap().hash(password),
        )
        shoppers = _invite(stage, plan)
        _trade(stage, plan, progress)
    return dict(sorted(stage.counts.items())), _truth(plan, stage, shoppers)


def write_truth(path: Path, truth: dict[str, Any]) -> None:
    """Keep what the simulation knows and no model may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(truth, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


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
    night = datetime.combine(stage.now.date(), _NIGHT, tzinfo=UTC)
    while night < plan.end:
        stage.agenda.at(night, lambda now: _night(stage, now))
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
    _night(stage, plan.end)


def _night(stage: Stage, now: datetime) -> None:
    """The shop's daily work: give up unpaid orders, move points, send refunds, order what is running out."""
    if stage.unpaid:
        order_jobs.expire_unpaid_orders(stage.database)
        stage.unpaid = False
    stage.work("worker", lambda session: _spare_mails(session, now))
    outbox.drain(stage.database)
    if now.day == 1:
        # Balances are right without these jobs, which only move lots from one state to the next.
        loyalty_jobs.activate_due_points(stage.database)
        loyalty_jobs.expire_due_points(stage.database)
    if now.weekday() == 0:
        delivered = stage.work("worker", lambda session: world.restock(session, stage.shelf, rng=stage.rng, now=now))
        stage.counts["supplier deliveries"] += delivered


def _spare_mails(session: Session, now: datetime) -> None:
    """Made-up people get no mail: their messages count as done without being written."""
    table = tables.metadata.tables["outbox"]
    session.execute(
        update(table)
        .where(table.c.state == "pending", table.c.topic.in_([STATUS_CHANGED, MAIL]))
        .values(state="done", done_at=now)
    )


def _truth(plan: Plan, stage: Stage, shoppers: list[Shopper]) -> dict[str, Any]:
    return {
        "seed": plan.seed,
        "end": plan.end.isoformat(),
        "gifts": [
            {
                "sku": gift.sku,
                "product_id": stage.shelf.products[gift.sku],
                "appeal": round(stage.tastes.appeal[gift.sku], 4),
                "quality": round(stage.tastes.quality[gift.sku], 4),
            }
            for gift in GIFTS
        ],
        "shoppers": [_true_self(stage, shopper) for shopper in shoppers],
    }


def _true_self(stage: Stage, shopper: Shopper) -> dict[str, Any]:
    ranking = stage.tastes.ranking(shopper)
    return {
        "customer_id": shopper.customer_id,
        "email": shopper.email,
        "joined": shopper.joined.isoformat(),
        "leaves": shopper.leaves.isoformat(),
        "orders_per_year": round(shopper.orders_per_year, 4),
        "budget": shopper.budget,
        "price_sensitivity": round(shopper.price_sensitivity, 4),
        "repeat_habit": round(shopper.repeat_habit, 4),
        "styles": {name: round(weight, 4) for name, weight in shopper.styles.items()},
        "categories": {name: round(weight, 4) for name, weight in shopper.categories.items()},
        "preferences": [
            {"sku": sku, "product_id": stage.shelf.products[sku], "utility": utility} for sku, utility in ranking
        ],
    }
