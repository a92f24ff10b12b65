"""One token for all: however many find it dead at once, one of them logs in."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from tests.support.parallel import at_once
from tests.transactional.shipping.depot import Depot, connect
from transactional.core.uow import Database
from transactional.shipping.carrier import Unavailable
from transactional.shipping.shiprocket import Shiprocket
from transactional.shipping.tokens import TokenStore
from transactional.shipping_standin.faults import Fault

CALLERS = 50


def fifty_calls(clients: list[Shiprocket]) -> list[Callable[[], object]]:
    """Harmless calls, shared out over the clients."""
    return [partial(clients[number % len(clients)].find, "1") for number in range(CALLERS)]


def test_fifty_parallel_calls_with_a_dead_token_log_in_once(any_depot: Depot) -> None:
    depot = any_depot
    # Five clients stand for five processes: each has a cache and a lock of its own.
    clients = [connect(depot.standin, depot.database) for _ in range(5)]
    for client in clients:
        client.find("1")
    assert depot.standin.tokens.log_ins == 1
    depot.standin.tokens.expire_all()
    answers = at_once(fifty_calls(clients))
    assert answers == [[]] * CALLERS
    assert depot.standin.tokens.log_ins == 2


def test_fifty_first_calls_log_in_once(depot: Depot) -> None:
    clients = [connect(depot.standin, depot.database) for _ in range(5)]
    assert at_once(fifty_calls(clients)) == [[]] * CALLERS
    assert depot.standin.tokens.log_ins == 1


def test_an_old_token_is_renewed_before_it_is_refused(depot: Depot) -> None:
    depot.carrier.find("1")
    depot.clock.advance(timedelta(days=8))
    depot.carrier.find("1")
    assert depot.standin.tokens.log_ins == 1
    depot.clock.advance(timedelta(days=1))
    depot.carrier.find("1")
    assert depot.standin.tokens.log_ins == 2
    assert all(request.status == 200 for request in depot.standin.requests())


def test_a_short_lived_token_is_renewed_after_a_refusal(depot: Depot) -> None:
    depot.standin.switches.change({"token_hours": 24})
    depot.carrier.find("1")
    depot.clock.advance(timedelta(hours=25))
    assert depot.carrier.find("1") == []
    assert [request.status for request in depot.standin.requests()][-3:] == [401, 200, 200]


def test_a_batch_survives_the_death_of_its_token(depot: Depot) -> None:
    depot.standin.faults.arm(Fault.TOKEN_EXPIRED, path_part="assign/awb")
    depot.send()
    assert depot.standin.tokens.log_ins == 2


def test_a_log_in_that_fails_gives_the_lease_back(database: Database) -> None:
    answers = [Unavailable("down"), "token"]

    def log_in() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    store = TokenStore(database, account="a", log_in=log_in)
    with pytest.raises(Unavailable):
        store.current()
    token = store.current()
    assert token.value == "token"
    assert "token" not in repr(token).replace("Token", "")


def test_a_lease_left_by_a_crash_ends(database: Database, clock: object) -> None:
    def killed() -> str:
        raise KeyboardInterrupt

    crashed = TokenStore(database, account="a", log_in=killed)
    crashed._give_back_lease = lambda _: None  # type: ignore[method-assign,assignment]  the process is gone
    with pytest.raises(KeyboardInterrupt):
        crashed.current()
    clock.advance(timedelta(minutes=1))  # type: ignore[attr-defined]
    assert TokenStore(database, account="a", log_in=lambda: "token").current().value == "token"
