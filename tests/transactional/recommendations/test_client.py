"""The way to serving: whatever happens there, an answer or a reason within the budget."""

import json
import time

import pytest

from tests.transactional.recommendations.servers import Misbehaving, free_port
from transactional.recommendations.breaker import CircuitBreaker
from transactional.recommendations.serving_client import NoAnswer, ServingClient

QUESTION = {"slot": "shop"}
ITEM = {"product_id": 1, "score": 1.0, "reason": "Best seller", "because": {"kind": "best_seller"}}
SHELF = {"shelf": "best_sellers", "model": "best_sellers", "version": "b1", "build_id": "b1", "items": [ITEM]}
GOOD = json.dumps({"build_id": "b1", "shelves": [SHELF], "something": "new"}).encode()


class Clock:
    """Seconds that move when told."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_good_answer_is_read_and_what_is_new_in_it_does_no_harm() -> None:
    with Misbehaving(body=GOOD) as server:
        served = ServingClient(server.url, budget_seconds=5).ask(QUESTION)
    assert served.shelves[0].items[0].product_id == 1
    assert server.questions == [QUESTION]


def test_nobody_listens() -> None:
    client = ServingClient(f"http://127.0.0.1:{free_port()}", budget_seconds=1)
    with pytest.raises(NoAnswer, match="cannot be reached"):
        client.ask(QUESTION)


@pytest.mark.parametrize("kind", ["wait", "drip"])
def test_the_budget_holds_for_the_whole_call(kind: str) -> None:
    with Misbehaving(body=GOOD, wait=kind == "wait", drip=kind == "drip") as server:
        client = ServingClient(server.url, budget_seconds=0.15)
        started = time.monotonic()
        with pytest.raises(NoAnswer, match="within 150 ms"):
            client.ask(QUESTION)
        # Half a second of grace for a busy machine; the drip alone would take more than ten.
        assert time.monotonic() - started < 0.65


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"build_id": "b", "shelves": 7}',
        b'{"build_id": "b", "shelves": [{"shelf": "x"}]}',
        GOOD.replace(b'"product_id": 1', b'"product_id": -1'),
        b"\xff\xfe\x00",
    ],
)
def test_an_answer_without_sense_is_no_answer(body: bytes) -> None:
    with Misbehaving(body=body) as server, pytest.raises(NoAnswer, match="makes no sense"):
        ServingClient(server.url, budget_seconds=5).ask(QUESTION)


def test_an_endless_answer_is_cut_off() -> None:
    with Misbehaving(body=b" " * 3_000_000) as server, pytest.raises(NoAnswer, match="without end"):
        ServingClient(server.url, budget_seconds=5).ask(QUESTION)


@pytest.mark.parametrize("status", [422, 500, 503, 302])
def test_a_refusal_is_named(status: int) -> None:
    with Misbehaving(status=status) as server, pytest.raises(NoAnswer, match=str(status)):
        ServingClient(server.url, budget_seconds=5).ask(QUESTION)


def test_after_repeated_failures_serving_is_left_alone_and_probed_later() -> None:
    clock = Clock()
    with Misbehaving(status=500) as server:
        client = ServingClient(server.url, budget_seconds=5, breaker=CircuitBreaker(failures=3, monotonic=clock))
        for _ in range(3):
            with pytest.raises(NoAnswer, match="500"):
                client.ask(QUESTION)
        with pytest.raises(NoAnswer, match="left alone"):
            client.ask(QUESTION)
        assert server.calls == 3
        clock.seconds += 5.1
        with pytest.raises(NoAnswer, match="500"):
            client.ask(QUESTION)
        with pytest.raises(NoAnswer, match="left alone"):
            client.ask(QUESTION)
        assert server.calls == 4
        clock.seconds += 5.1
        server.status, server.body = 200, GOOD
        assert client.ask(QUESTION).build_id == "b1"
        assert client.ask(QUESTION).build_id == "b1"


def test_a_single_probe_goes_out_when_the_pause_is_over() -> None:
    clock = Clock()
    breaker = CircuitBreaker(failures=1, pause_seconds=5, monotonic=clock)
    breaker.failed()
    clock.seconds += 5
    assert [breaker.admits(), breaker.admits()] == [True, False]
    clock.seconds += 5
    assert breaker.admits(), "a probe that never came back does not close the way for ever"


def test_one_success_forgives_the_failures_before_it() -> None:
    breaker = CircuitBreaker(failures=2)
    breaker.failed()
    breaker.succeeded()
    breaker.failed()
    assert breaker.admits()
