"""The application over HTTP: without models, without snapshot, with bad questions, with a new snapshot."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.settings import Settings
from tests.serving.snapshots import LINES, PRODUCTS, point_to, publish


def wait_until(condition: Callable[[], bool], *, seconds: float = 20) -> None:
    """Give the watching thread its chance."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


def ask(client: TestClient, **question: Any) -> dict[str, Any]:
    response = client.post("/v1/recommend", json=question)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def shelves(answer: dict[str, Any]) -> dict[str, list[int]]:
    return {shelf["shelf"]: [item["product_id"] for item in shelf["items"]] for shelf in answer["shelves"]}


@pytest.fixture
def served(small_shop: Settings, client: TestClient) -> TestClient:
    wait_until(lambda: client.get("/ready").status_code == 200)
    return client


def test_without_a_snapshot_it_lives_but_is_not_ready(client: TestClient) -> None:
    assert client.get("/health").status_code == 200
    ready = client.get("/ready")
    assert ready.status_code == 503
    response = client.post("/v1/recommend", json={"slot": "shop"})
    assert response.status_code == 503
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == "urn:my-little-things:problem:unavailable"


def test_a_first_snapshot_is_taken_up_without_a_restart(client: TestClient, settings: Settings) -> None:
    assert client.get("/ready").status_code == 503
    publish(settings.published, "build-1", products=PRODUCTS, lines=LINES)
    wait_until(lambda: client.get("/ready").status_code == 200)
    assert ask(client, slot="shop")["build_id"] == "build-1"


def test_a_newer_snapshot_replaces_the_old_and_a_rollback_brings_it_back(
    served: TestClient, settings: Settings
) -> None:
    publish(settings.published, "build-2", products=[(7, "Paper kite", "Toys", True)], lines=[(1, 1, 7, 1.0)])
    wait_until(lambda: ask(served, slot="shop")["build_id"] == "build-2")
    assert shelves(ask(served, slot="shop"))["best_sellers"] == [7]
    point_to(settings.published, "build-1")
    wait_until(lambda: ask(served, slot="shop")["build_id"] == "build-1")


def test_a_broken_pointer_keeps_the_last_good_snapshot(served: TestClient, settings: Settings) -> None:
    point_to(settings.published, "nowhere")
    wait_until(lambda: "snapshot" in served.get("/ready").json()["problems"])
    assert ask(served, slot="shop")["build_id"] == "build-1"
    point_to(settings.published, "build-1")
    wait_until(lambda: not served.get("/ready").json()["problems"])


def test_without_any_model_popularity_answers_and_says_so(served: TestClient) -> None:
    answer = ask(served, slot="home", customer_id=13)
    discover = next(shelf for shelf in answer["shelves"] if shelf["shelf"] == "discover")
    assert (discover["model"], discover["source"], discover["version"]) == ("popularity", "snapshot", "build-1")
    first = discover["items"][0]
    assert first["name"] == "Clay diya", "the lamp and the scarf were bought already"
    assert first["reason"] == "Popular now: 1 customer in the last 28 days"
    assert first["because"] == {
        "kind": "popular",
        "product_id": None,
        "count": 1,
        "total": None,
        "last_at": None,
        "days": 28,
    }


def test_an_inactive_product_is_never_shown_however_well_it_sells(served: TestClient) -> None:
    for question in ({"slot": "home", "customer_id": 11}, {"slot": "shop"}, {"slot": "product", "product_id": 4}):
        for items in shelves(ask(served, **question)).values():
            assert 4 not in items


def test_similar_without_a_model_begins_with_the_category(served: TestClient) -> None:
    assert shelves(ask(served, slot="product", product_id=1))["similar"] == [2, 3]


def test_cart_and_exclusions_are_never_shown(served: TestClient) -> None:
    found = shelves(ask(served, slot="cart", cart=[1], exclude=[3]))
    assert found
    assert all(not {1, 3} & set(items) for items in found.values())


def test_a_purchase_sent_with_the_question_counts_at_once(served: TestClient) -> None:
    bought = [{"product_id": 1, "at": "2026-01-15T11:00:00+00:00"}]
    before = shelves(ask(served, slot="home", customer_id=999))["discover"]
    after = shelves(ask(served, slot="home", customer_id=999, purchases=bought))["discover"]
    assert 1 in before
    assert 1 not in after


def test_an_unknown_product_page_still_answers(served: TestClient) -> None:
    assert shelves(ask(served, slot="product", product_id=10**12))["similar"]


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"slot": "attic"},
        {"slot": "product"},
        {"slot": "home", "k": 0},
        {"slot": "home", "k": 101},
        {"slot": "home", "email": "someone@example.org"},
        {"slot": "home", "customer_id": -1},
        {"slot": "home", "events": [{"product_id": 1, "kind": "stare"}]},
        {"slot": "home", "purchases": [{"product_id": 1, "at": "2026-01-15T10:00:00"}]},
    ],
)
def test_a_bad_question_is_a_problem_document(served: TestClient, question: dict[str, Any]) -> None:
    response = served.post("/v1/recommend", json=question)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["errors"]


def test_metrics_name_the_build_and_count_answers(served: TestClient) -> None:
    ask(served, slot="shop")
    text = served.get("/metrics").text
    assert 'serving_answers_total{slot="shop",status="200"} 1.0' in text
    assert 'serving_loaded{version="build-1",what="snapshot"} 1.0' in text
