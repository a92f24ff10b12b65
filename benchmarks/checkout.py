"""Paid checkouts a second on PostgreSQL: by 1, 8 and 32 clients, in a new shop and in one with a long history.

Everything runs on this machine: database (durable: `fsync` and `synchronous_commit` as PostgreSQL ships them), shop,
payment gateway stand-in and load generator. `cpu` says which of them used the processor, in milliseconds a purchase.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import psutil
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url

from benchmarks.measure import run_module, timed
from benchmarks.shops import FOLDER, postgres
from pipelines.house.processes import Server, free_port, running
from transactional import tables  # noqa: F401  every table, so that foreign keys find one another
from transactional.catalog.service import buyable_variants
from transactional.core.db import make_engine
from transactional.core.metrics import outbox_backlog
from transactional.core.uow import Database
from transactional.inventory import service as inventory
from transactional.orders.models import Order

_VARIANTS = 40
_STOCK = 100_000
_SHARED_DATABASE_SETTINGS = ("synchronous_commit", "fsync", "full_page_writes", "shared_buffers")


def run(history: int = 1_000_000, *, seconds: float = 15.0, workers: int = 2) -> dict[str, Any]:
    """The figures of a new shop and of one with `history` orders, and the ratio of the two."""
    with postgres() as server:
        new = _measure(_database(server, "new"), orders=200, seconds=seconds, workers=workers)
        old = _measure(_database(server, "old"), orders=history, seconds=seconds, workers=workers)
    slower = {
        clients: round(1 - old["paid_checkout"][clients]["per_second"] / figures["per_second"], 3)
        for clients, figures in new["paid_checkout"].items()
        if figures["per_second"]
    }
    return {"shop_processes": workers, "new_shop": new, "long_history": old, "slower_by": slower}


def _measure(url: str, *, orders: int, seconds: float, workers: int) -> dict[str, Any]:
    var = FOLDER / f"checkout-{orders}"
    shutil.rmtree(var, ignore_errors=True)
    var.mkdir(parents=True)
    env = {"MLT_VAR": str(var), "DATABASE_URL": url, "MLT_LOG_LEVEL": "WARNING"}
    run_module(["transactional", "migrate"], env)
    history = ["--bulk", "--orders", str(orders), "--customers", str(max(100, orders // 5)), "--seed", "5"]
    filled = run_module(["transactional", "simulate", *history, "--database", url], env)
    database = Database(make_engine(url))
    variants = _stock_up(database)
    settings = _settle(url)
    shop, bank = free_port(), free_port()
    shop_url, bank_url = f"http://127.0.0.1:{shop}", f"http://127.0.0.1:{bank}"
    env |= {"MLT_RAZORPAY_BASE_URL": bank_url}
    servers = [
        Server("bank", ["transactional", "razorpay-standin", "--port", str(bank)], f"{bank_url}/_control/health", env),
        Server(
            "shop",
            ["transactional", "serve", "--port", str(shop), "--workers", str(workers)],
            f"{shop_url}/health",
            env,
        ),
    ]
    target = ["--shop", shop_url, "--bank", bank_url, "--variants", ",".join(map(str, variants))]
    with running(servers, log_folder=var / "logs"):
        _crowd(target, "buy", clients=8, seconds=5)  # connections, statements and caches are warm after this
        health = _crowd(target, "look", clients=8, seconds=seconds / 3)
        paid = {str(clients): _crowd(target, "buy", clients=clients, seconds=seconds) for clients in (1, 8, 32)}
    for figures in paid.values():
        if figures["per_second"]:
            figures["costs_as_many_health_requests"] = round(health["per_second"] / figures["per_second"], 1)
    found = {"orders_before": orders, "history_written_in_s": round(filled.seconds, 1), "database": settings}
    found |= {"health": health, "paid_checkout": paid, "outbox_left_over": outbox_backlog(database)}
    found |= {"sound": _is_sound(database)}
    database.engine.dispose()
    return found


def _crowd(target: list[str], act: str, *, clients: int, seconds: float) -> dict[str, Any]:
    before = _cpu_seconds()
    command = [sys.executable, "-m", "benchmarks.crowd", *target, "--act", act]
    command += ["--clients", str(clients), "--seconds", str(seconds)]
    children = os.times()
    wall, done = timed(lambda: subprocess.run(command, check=True, capture_output=True, text=True))
    crowd_cpu = os.times().children_user + os.times().children_system
    crowd_cpu -= children.children_user + children.children_system
    load = json.loads(done.stdout)
    spent = {name: seconds_ - before.get(name, 0.0) for name, seconds_ in _cpu_seconds().items()}
    spent["crowd"] = crowd_cpu
    answered = max(load["requests"] - load["errors"], 1)
    return {
        "per_second": round(load["requests_per_second"], 1),
        "p50_ms": round(load["p50_ms"], 2),
        "p99_ms": round(load["p99_ms"], 2),
        "requests": load["requests"],
        "errors": load["errors"],
        "cpu_ms_each": {name: round(1000 * value / answered, 2) for name, value in sorted(spent.items()) if value > 0},
        "cores_used": round(sum(spent.values()) / wall, 2),
    }


def _cpu_seconds() -> dict[str, float]:
    """Processor time that the processes under this one have used so far, by what they are."""
    spent: dict[str, float] = {}
    for process in [*psutil.Process().children(recursive=True), *_database_processes()]:
        try:
            times, words = process.cpu_times(), " ".join(process.cmdline())
        except psutil.Error:
            continue
        kind = next((name for name, marks in _KINDS.items() if any(mark in words for mark in marks)), None)
        if kind is None:
            continue
        spent[kind] = spent.get(kind, 0.0) + times.user + times.system
    return spent


_KINDS = {
    "bank": ["razorpay-standin"],
    "shop": ["transactional serve", "spawn_main"],
    "database": ["postgres"],
}


def _database_processes() -> list[psutil.Process]:
    """The server detaches itself: its processes are not ours."""
    return [process for process in psutil.process_iter() if process.name() == "postgres"]


def _stock_up(database: Database) -> list[int]:
    """Enough on the shelf that nothing sells out meanwhile; gives the variants that are bought."""
    now = database.clock.now()
    with database.unit_of_work(actor="benchmark") as session:
        found = buyable_variants(session, range(1, 400), currency="INR", now=now)
        variants = sorted(found)[:_VARIANTS]
        location = inventory.default_location(session)
        for variant_id in variants:
            inventory.receive(
                session,
                variant_id=variant_id,
                location_id=location.id,
                quantity=_STOCK,
                reason="for the benchmark",
                now=now,
            )
    return variants


def _settle(url: str) -> dict[str, Any]:
    """What the server does by itself in time after a bulk load, done now; gives how durable and how large it is."""
    engine = create_engine(_psycopg(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM (ANALYZE)"))
        connection.execute(text("CHECKPOINT"))
        size = connection.scalar(text("SELECT pg_database_size(current_database())"))
        shown = {name: connection.scalar(text(f"SHOW {name}")) for name in _SHARED_DATABASE_SETTINGS}
    engine.dispose()
    return {**shown, "size_mb": round((size or 0) / 1e6)}


def _is_sound(database: Database) -> Mapping[str, Any]:
    """Every order of the crowd and every unit that it holds, proved."""
    with database.read() as session:
        numbers = session.scalar(select(func.count(func.distinct(Order.order_number))))
        return {
            "orders": session.scalar(select(func.count()).select_from(Order)),
            "distinct_order_numbers": numbers,
            "stock_discrepancies": len(inventory.discrepancies(session)),
        }


def _database(server: str, name: str) -> str:
    engine = create_engine(_psycopg(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _psycopg(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
