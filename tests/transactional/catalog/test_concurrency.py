"""Two at once, on committed data, each with a connection of its own."""

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from transactional.catalog import service
from transactional.core.clock import ManualClock
from transactional.core.errors import Conflict
from transactional.core.uow import Database

pytestmark = pytest.mark.timeout(120)


def together(database: Database, jobs: Sequence[Callable[[Session], object]]) -> list[BaseException | None]:
    """Run the jobs at the same moment, each in a unit of work; gives what each raised."""
    barrier = threading.Barrier(len(jobs))

    def run(job: Callable[[Session], object]) -> BaseException | None:
        barrier.wait()
        try:
            database.run(job, actor="test")
        except Conflict as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(len(jobs)) as threads:
        return list(threads.map(run, jobs))


def lamp(database: Database, clock: ManualClock) -> int:
    def work(session: Session) -> int:
        category = service.create_category(session, name="Gifts")
        product = service.create_product(
            session,
            name="Lamp",
            category_id=category.id,
            sku="LAMP",
            price_minor=100,
            currency="INR",
            now=clock.now(),
        )
        return service.default_variant(session, product.id).id

    return database.run(work, actor="test")


def test_price_changes_at_once_leave_a_history_without_gap_or_overlap(
    any_database: Database, clock: ManualClock
) -> None:
    variant_id = lamp(any_database, clock)
    start = clock.now()

    def change(number: int) -> Callable[[Session], object]:
        return lambda session: service.set_price(
            session,
            variant_id=variant_id,
            amount_minor=1_000 + number,
            currency="INR",
            now=start + timedelta(seconds=number),
        )

    refused = together(any_database, [change(number) for number in range(1, 9)])
    with any_database.read() as session:
        history = service.price_history(session, variant_id=variant_id)
    won = sum(refusal is None for refusal in refused)
    assert won >= 1
    assert len(history) == 1 + won
    assert sum(price.valid_to is None for price in history) == 1
    for earlier, later in itertools.pairwise(history):
        assert earlier.valid_to == later.valid_from


def test_the_same_new_price_twice_at_once_is_one_change(any_database: Database, clock: ManualClock) -> None:
    variant_id = lamp(any_database, clock)
    moment = clock.now() + timedelta(seconds=1)

    def change(session: Session) -> object:
        return service.set_price(session, variant_id=variant_id, amount_minor=777, currency="INR", now=moment)

    assert together(any_database, [change] * 4) == [None] * 4
    with any_database.read() as session:
        assert [p.amount_minor for p in service.price_history(session, variant_id=variant_id)] == [100, 777]


def test_two_moves_that_would_close_a_ring_together_do_not(any_database: Database) -> None:
    def make(session: Session) -> tuple[int, int]:
        return service.create_category(session, name="A").id, service.create_category(session, name="B").id

    a, b = any_database.run(make, actor="test")
    refused = together(
        any_database,
        [
            lambda session: service.move_category(session, category_id=a, parent_id=b),
            lambda session: service.move_category(session, category_id=b, parent_id=a),
        ],
    )
    assert sum(refusal is None for refusal in refused) == 1


def test_one_sku_is_given_once(any_database: Database, clock: ManualClock) -> None:
    category = any_database.run(lambda session: service.create_category(session, name="Gifts").id, actor="test")

    def create(session: Session) -> object:
        return service.create_product(
            session, name="Lamp", category_id=category, sku="ONE", price_minor=1, currency="INR", now=clock.now()
        )

    refused = together(any_database, [create] * 4)
    assert sum(refusal is None for refusal in refused) == 1
