"""Behaviour events: once per event id, closed vocabulary, identities merged once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.support.trade import TradeKit
from transactional.behaviour import service
from transactional.behaviour.models import BehaviourEvent, VisitorIdentity
from transactional.behaviour.service import MAX_BATCH, Event, Outcome
from transactional.core.errors import InvalidInput
from transactional.core.uow import Database


def event(number: int | str, kind: str = "search", **changes: Any) -> Event:
    values: dict[str, Any] = {
        "event_id": f"event-{number}",
        "type": kind,
        "anonymous_id": "anon-0001",
        "session_id": "visit-0001",
        "properties": {"query": "lamp"} if kind == "search" else {},
        **changes,
    }
    return Event(**values)


def outcomes(database: Database, events: list[Event], **changes: Any) -> list[str]:
    values: dict[str, Any] = {"customer_id": None, "now": database.clock.now(), **changes}
    results = database.run(lambda session: service.record(session, events, **values), actor="test")
    return [result.outcome.value for result in results]


def stored(database: Database) -> list[BehaviourEvent]:
    with database.read() as session:
        return list(session.scalars(select(BehaviourEvent).order_by(BehaviourEvent.id)))


def owners(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {row.anonymous_id: row.customer_id for row in session.scalars(select(VisitorIdentity))}


@pytest.fixture
def product(database: Database) -> int:
    kit = TradeKit(database)
    variant = kit.variant("LAMP", stock=1)

    def look(session: Session) -> int:
        from transactional.catalog.service import variants_by_id

        return variants_by_id(session, [variant])[variant].product_id

    return kit.run(look)


class TestOnce:
    def test_the_same_id_is_stored_once_however_often_it_comes(self, any_database: Database) -> None:
        batch = [event(1), event(2), event(1)]
        assert outcomes(any_database, batch) == ["accepted", "accepted", "duplicate"]
        assert outcomes(any_database, batch) == ["duplicate"] * 3
        assert len(stored(any_database)) == 2

    def test_parallel_resends_store_once(self, any_database: Database) -> None:
        batch = [event(number) for number in range(20)]
        barrier = threading.Barrier(4)

        def send(_: int) -> list[str]:
            barrier.wait()
            return outcomes(any_database, batch)

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(send, range(4)))
        assert len(stored(any_database)) == 20
        assert sum(answer.count("accepted") for answer in answers) == 20

    def test_a_full_batch_goes_and_one_more_does_not(self, database: Database) -> None:
        assert outcomes(database, [event(n) for n in range(MAX_BATCH)]) == ["accepted"] * MAX_BATCH
        with pytest.raises(InvalidInput, match="500"):
            outcomes(database, [event(n) for n in range(MAX_BATCH + 1)])

    def test_an_empty_batch_is_nothing(self, database: Database) -> None:
        assert outcomes(database, []) == []

    def test_the_servers_time_counts_and_the_clients_is_kept(self, database: Database) -> None:
        claimed = datetime(1999, 12, 31, tzinfo=UTC)
        outcomes(database, [event(1, client_time=claimed)])
        (row,) = stored(database)
        assert row.server_time == database.clock.now()
        assert row.client_time == claimed


class TestVocabulary:
    def test_good_ones_go_beside_bad_ones(self, database: Database, product: int) -> None:
        batch = [event(1, "view", product_id=product), event(2, "stare"), event(3)]
        assert outcomes(database, batch) == ["accepted", "refused", "accepted"]

    @pytest.mark.parametrize(
        ("kind", "changes", "said"),
        [
            ("stare", {}, "unknown type"),
            ("view", {}, "needs a product_id"),
            ("search", {"product_id": 1}, "takes no product_id"),
            ("search", {"properties": {"query": "x", "email": "asha@example.com"}}, "properties.email"),
            ("search", {"properties": {"query": ""}}, "properties.query"),
            ("search", {"properties": {}}, "properties.query"),
            ("view", {"product_id": 999}, "no product 999"),
            ("add_to_cart", {"product_id": 1, "properties": {"quantity": 0}}, "properties.quantity"),
            ("recommendation_shown", {"properties": {"slot": "home", "shelf": "x", "product_ids": []}}, "product_ids"),
        ],
    )
    def test_what_does_not_fit_is_refused_with_the_reason(
        self, database: Database, kind: str, changes: dict[str, Any], said: str
    ) -> None:
        results = database.run(
            lambda session: service.record(
                session, [event(1, kind, **changes)], customer_id=None, now=database.clock.now()
            ),
            actor="test",
        )
        assert results[0].outcome is Outcome.REFUSED
        assert said in (results[0].reason or "")
        assert stored(database) == []

    def test_a_refused_event_may_come_again_corrected(self, database: Database, product: int) -> None:
        assert outcomes(database, [event(1, "view", product_id=999)]) == ["refused"]
        assert outcomes(database, [event(1, "view", product_id=product)]) == ["accepted"]

    def test_every_type_has_a_form_that_is_accepted(self, database: Database, product: int) -> None:
        batch = [
            event(1, "view", product_id=product, properties={"source": "search"}),
            event(2, "category_view", properties={"category_id": 1}),
            event(3, "search", properties={"query": "दीया", "results": 4}),
            event(4, "add_to_cart", product_id=product, properties={"variant_id": 1, "quantity": 2}),
            event(5, "remove_from_cart", product_id=product),
            event(6, "checkout_started", properties={"items": 2, "value_minor": 5000, "currency": "INR"}),
            event(7, "recommendation_shown", properties={"slot": "home", "shelf": "discover", "product_ids": [1]}),
            event(
                8,
                "recommendation_clicked",
                product_id=product,
                properties={"slot": "home", "shelf": "discover", "position": 0, "model": "discover"},
            ),
        ]
        assert outcomes(database, batch) == ["accepted"] * len(service.EventType)


class TestIdentity:
    def test_a_visitor_is_merged_once_and_never_with_a_second_customer(self, database: Database) -> None:
        kit = TradeKit(database)
        asha, ravi = kit.customer("asha@example.com"), kit.customer("ravi@example.com")
        outcomes(database, [event(1)])
        assert owners(database) == {}
        outcomes(database, [event(2)], customer_id=asha)
        outcomes(database, [event(3)], customer_id=ravi)
        assert owners(database) == {"anon-0001": asha}
        assert [row.customer_id for row in stored(database)] == [None, asha, ravi]
        with database.read() as session:
            assert service.owner_of(session, "anon-0001") == asha
            assert service.owner_of(session, "nobody") is None

    def test_a_customer_may_have_several_browsers(self, database: Database) -> None:
        asha = TradeKit(database).customer()
        outcomes(database, [event(1), event(2, anonymous_id="anon-0002")], customer_id=asha)
        assert owners(database) == {"anon-0001": asha, "anon-0002": asha}

    def test_merging_in_parallel_gives_one_owner(self, any_database: Database) -> None:
        kit = TradeKit(any_database)
        customers = [kit.customer(f"c{n}@example.com") for n in range(4)]
        barrier = threading.Barrier(4)

        def send(customer: int) -> list[str]:
            barrier.wait()
            return outcomes(any_database, [event(f"by-{customer}")], customer_id=customer)

        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(send, customers)) == [["accepted"]] * 4
        assert len(owners(any_database)) == 1


class TestRecent:
    def recent(self, database: Database, **who: Any) -> list[str]:
        with database.read() as session:
            return [found.type.value for found in service.recent_events(session, **who)]

    def test_newest_first_and_only_about_products(self, database: Database, product: int) -> None:
        outcomes(
            database,
            [event(1, "view", product_id=product), event(2), event(3, "add_to_cart", product_id=product)],
        )
        assert self.recent(database, anonymous_id="anon-0001") == ["add_to_cart", "view"]
        assert self.recent(database, anonymous_id="anon-0001", limit=1) == ["add_to_cart"]
        assert self.recent(database) == []

    def test_a_customer_s_past_as_a_stranger_is_theirs_but_not_what_others_did_there(
        self, database: Database, product: int
    ) -> None:
        kit = TradeKit(database)
        asha, ravi = kit.customer("asha@example.com"), kit.customer("ravi@example.com")
        outcomes(database, [event(1, "view", product_id=product)])
        outcomes(database, [event(2, "add_to_cart", product_id=product)], customer_id=asha)
        outcomes(database, [event(3, "remove_from_cart", product_id=product)], customer_id=ravi)
        assert self.recent(database, customer_id=asha) == ["add_to_cart", "view"]
        assert self.recent(database, customer_id=ravi) == ["remove_from_cart"]
        assert self.recent(database, anonymous_id="anon-0001") == ["view"]

    def test_machines_teach_nothing(self, database: Database, product: int) -> None:
        outcomes(database, [event(1, "view", product_id=product)], is_bot=True)
        assert [row.is_bot for row in stored(database)] == [True]
        assert self.recent(database, anonymous_id="anon-0001") == []


@pytest.mark.parametrize(
    ("agent", "is_bot"),
    [
        (None, True),
        ("", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("python-requests/2.34", True),
        ("Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/130.0", True),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Mobile", False),
        ("Mozilla/5.0 (Linux; Android 15; Cubot X90) AppleWebKit/537.36 Chrome/131.0 Mobile", False),
    ],
)
def test_machines_are_known_by_the_name_they_give(agent: str | None, is_bot: bool) -> None:
    assert service.looks_like_bot(agent) is is_bot
