"""Recommendations over HTTP, against the real serving process and against none."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.settings import Settings as ServingSettings
from tests.serving.snapshots import Line, publish
from tests.support.trade import TradeKit
from tests.support.web import log_in, settings_in
from tests.transactional.recommendations.servers import Misbehaving, free_port, real_serving
from transactional.app import create_app
from transactional.behaviour import service as behaviour
from transactional.catalog import service as catalog
from transactional.core.clock import ManualClock
from transactional.core.uow import Database

OpenShop = Callable[..., TestClient]


@pytest.fixture
def open_shop(database: Database, tmp_path: Path) -> Iterator[OpenShop]:
    """Opens the shop with a serving process at a URL."""
    with ExitStack() as stack:

        def make(url: str, **changes: Any) -> TestClient:
            settings = settings_in(tmp_path).model_copy(
                update={"serving_url": url, "serving_budget_ms": 5_000, **changes}
            )
            return stack.enter_context(TestClient(create_app(settings, database)))

        yield make


class Shelf:
    """Products on the shelf: by letter their variants and product ids."""

    def __init__(self, database: Database, letters: str = "ABCDEF") -> None:
        self.kit = TradeKit(database)
        self.variants = {letter: self.kit.variant(letter, stock=20) for letter in letters}
        with database.read() as session:
            found = catalog.variants_by_id(session, self.variants.values())
        self.ids = {letter: found[variant].product_id for letter, variant in self.variants.items()}
        self._letters = {product: letter for letter, product in self.ids.items()}

    def letters(self, shelf: dict[str, Any]) -> str:
        return "".join(self._letters[item["product_id"]] for item in shelf["items"])

    def withdraw(self, letter: str) -> None:
        self.kit.run(lambda s: catalog.deactivate_product(s, product_id=self.ids[letter], now=self.kit.now).id)

    def sell_out(self, letter: str) -> None:
        self.kit.buy({self.variants[letter]: 20})

    def serving(self, folder: Path, *lines: Line) -> ServingSettings:
        """Publish a snapshot of these products in which A sold most, then B …"""
        products = [(product, f"Gift {letter}", "Gifts", True) for letter, product in self.ids.items()]
        sold = [
            (100 * place + n, None, product, 1.0)
            for place, product in enumerate(self.ids.values())
            for n in range(20 - place)
        ]
        publish(folder / "published", "build-1", products=products, lines=[*sold, *lines])
        return ServingSettings(published=folder / "published", mlflow_uri=f"sqlite:///{folder}/none.db")


@pytest.fixture
def shelf(database: Database) -> Shelf:
    return Shelf(database)


def get(client: TestClient, path: str, headers: dict[str, str] | None = None, **parameters: Any) -> dict[str, Any]:
    response = client.get(f"/v1/recommendations/{path}", params=parameters, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def named(answer: dict[str, Any], name: str) -> dict[str, Any]:
    shelf: dict[str, Any] = next(shelf for shelf in answer["shelves"] if shelf["shelf"] == name)
    return shelf


class TestWithServing:
    @pytest.mark.slow
    def test_each_shelf_says_where_it_comes_from_and_each_product_why(
        self, shelf: Shelf, open_shop: OpenShop, tmp_path: Path
    ) -> None:
        with real_serving(shelf.serving(tmp_path)) as url:
            answer = get(open_shop(url), "shop", k=3)
        assert (answer["source"], answer["reason"]) == ("models", None)
        best = named(answer, "best_sellers")
        assert (best["model"], best["version"], best["build_id"]) == ("best_sellers", "build-1", "build-1")
        assert shelf.letters(best) == "ABC"
        assert best["items"][0]["reason"] == "Best seller: 20 orders in the last 7 days"
        assert best["items"][0]["price_minor"] == 100_000

    @pytest.mark.slow
    def test_what_cannot_be_bought_at_this_moment_is_dropped_and_others_move_up(
        self, shelf: Shelf, open_shop: OpenShop, tmp_path: Path
    ) -> None:
        with real_serving(shelf.serving(tmp_path)) as url:
            client = open_shop(url)
            shelf.withdraw("A")
            shelf.sell_out("C")
            assert shelf.letters(named(get(client, "shop", k=3), "best_sellers")) == "BDE"

    @pytest.mark.slow
    def test_what_lies_in_the_cart_is_not_shown(self, shelf: Shelf, open_shop: OpenShop, tmp_path: Path) -> None:
        cart = shelf.kit.basket({shelf.variants["A"]: 1, shelf.variants["D"]: 1})
        with real_serving(shelf.serving(tmp_path)) as url:
            answer = get(open_shop(url), "shop", cart=cart)
        assert shelf.letters(named(answer, "best_sellers")) == "BCEF"

    @pytest.mark.slow
    def test_beside_a_product_it_is_not_shown_itself(self, shelf: Shelf, open_shop: OpenShop, tmp_path: Path) -> None:
        with real_serving(shelf.serving(tmp_path)) as url:
            client = open_shop(url)
            answer = get(client, f"products/{shelf.ids['B']}")
            assert shelf.letters(named(answer, "similar")) == "ACDEF"
            shelf.withdraw("B")
            assert client.get(f"/v1/recommendations/products/{shelf.ids['B']}").status_code == 404
            assert client.get("/v1/recommendations/products/99999").status_code == 404

    @pytest.mark.slow
    def test_a_purchase_of_a_moment_ago_counts_at_once(self, shelf: Shelf, open_shop: OpenShop, tmp_path: Path) -> None:
        customer = shelf.kit.customer()
        with real_serving(shelf.serving(tmp_path)) as url:
            client = open_shop(url)
            asha = log_in(client, "asha@example.com")
            assert shelf.letters(named(get(client, "home", asha), "discover")) == "ABCDEF"
            shelf.kit.buy({shelf.variants["A"]: 1}, customer_id=customer)
            assert shelf.letters(named(get(client, "home", asha), "discover")) == "BCDEF"

    @pytest.mark.slow
    def test_when_nothing_recommended_can_be_bought_it_says_so(
        self, shelf: Shelf, open_shop: OpenShop, tmp_path: Path
    ) -> None:
        settings = shelf.serving(tmp_path)
        for letter in "ABCDEF":
            shelf.withdraw(letter)
        newcomer = Shelf(shelf.kit.database, "X")
        with real_serving(settings) as url:
            answer = get(open_shop(url), "shop")
        assert answer["source"] == "fallback"
        assert "can be bought" in answer["reason"]
        assert newcomer.letters(answer["shelves"][0]) == "X"


class TestTheQuestion:
    @pytest.mark.slow
    def test_it_carries_purchases_recent_behaviour_and_cart_but_no_person(
        self, shelf: Shelf, open_shop: OpenShop
    ) -> None:
        kit = shelf.kit
        customer = kit.customer()
        kit.buy({shelf.variants["A"]: 1}, customer_id=customer)
        kit.buy({shelf.variants["B"]: 1}, customer_id=customer, pay=False)
        _look(kit, shelf.ids["C"], customer_id=customer)
        cart = kit.basket({shelf.variants["D"]: 2}, customer_id=customer)
        with Misbehaving(status=503) as server:
            client = open_shop(server.url)
            get(client, "home", log_in(client, "asha@example.com"), cart=cart, k=7)
        (asked,) = server.questions
        assert [bought["product_id"] for bought in asked["purchases"]] == [shelf.ids["A"]], "unpaid is not bought"
        assert [(seen["product_id"], seen["kind"]) for seen in asked["events"]] == [(shelf.ids["C"], "view")]
        assert asked["cart"] == [shelf.ids["D"]]
        assert (asked["slot"], asked["k"], asked["customer_id"]) == ("home", 7, customer)
        assert "asha" not in str(asked).lower()

    @pytest.mark.slow
    def test_a_stranger_is_known_by_what_their_browser_did(self, shelf: Shelf, open_shop: OpenShop) -> None:
        _look(shelf.kit, shelf.ids["C"], customer_id=None)
        with Misbehaving(status=503) as server:
            get(open_shop(server.url), "home", visitor="anon-0001")
        (asked,) = server.questions
        assert [seen["product_id"] for seen in asked["events"]] == [shelf.ids["C"]]
        assert "customer_id" not in asked

    @pytest.mark.slow
    def test_another_s_cart_is_not_found(self, shelf: Shelf, open_shop: OpenShop) -> None:
        cart = shelf.kit.basket({shelf.variants["A"]: 1}, customer_id=shelf.kit.customer())
        client = open_shop("http://127.0.0.1:9")
        assert client.get("/v1/recommendations/home", params={"cart": cart}).status_code == 404

    @pytest.mark.parametrize("parameters", [{"k": 0}, {"k": 51}, {"visitor": "x"}])
    def test_bad_parameters_are_refused(self, open_shop: OpenShop, parameters: dict[str, Any]) -> None:
        client = open_shop("http://127.0.0.1:9")
        assert client.get("/v1/recommendations/home", params=parameters).status_code == 422


class TestWithoutServing:
    @pytest.mark.slow
    def test_a_dead_serving_costs_a_shopper_nothing(self, shelf: Shelf, open_shop: OpenShop) -> None:
        for _ in range(3):
            shelf.kit.buy({shelf.variants["C"]: 1}, email="one@example.com")
        shelf.kit.buy({shelf.variants["B"]: 1}, email="one@example.com")
        shelf.kit.buy({shelf.variants["B"]: 1}, email="two@example.com")
        answer = get(open_shop(f"http://127.0.0.1:{free_port()}"), "home")
        assert answer["source"] == "fallback"
        assert "cannot be reached" in answer["reason"]
        (best,) = answer["shelves"]
        assert (best["shelf"], best["model"], best["build_id"]) == ("best_sellers", None, None)
        assert shelf.letters(best) == "BCFEDA", "two customers before one, then the newest"
        assert best["items"][0]["reason"] == "Bought by 2 customers in the last 28 days"
        assert best["items"][0]["because"]["count"] == 2
        assert best["items"][2]["reason"] == "New in the shop"

    @pytest.mark.slow
    def test_a_slow_serving_is_not_waited_for(self, shelf: Shelf, open_shop: OpenShop) -> None:
        with Misbehaving(wait=True) as server:
            answer = get(open_shop(server.url, serving_budget_ms=60), "shop")
        assert answer["reason"] == "serving did not answer within 60 ms"
        assert answer["shelves"]

    @pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"build_id": "b", "shelves": "none"}'])
    def test_garbage_is_not_shown(self, shelf: Shelf, open_shop: OpenShop, body: bytes) -> None:
        with Misbehaving(body=body) as server:
            answer = get(open_shop(server.url), "shop")
        assert (answer["source"], answer["reason"]) == ("fallback", "serving gave an answer that makes no sense")

    @pytest.mark.slow
    def test_what_sells_is_old_after_four_weeks_and_never_what_is_gone(
        self, shelf: Shelf, open_shop: OpenShop, clock: ManualClock
    ) -> None:
        shelf.kit.buy({shelf.variants["A"]: 1})
        clock.advance(timedelta(days=29))
        shelf.sell_out("B")
        shelf.withdraw("C")
        shelf.kit.buy({shelf.variants["D"]: 1}, pay=False)
        answer = get(open_shop(f"http://127.0.0.1:{free_port()}"), "shop")
        assert shelf.letters(answer["shelves"][0]) == "FEDA"

    def test_an_empty_shop_shows_nothing_and_does_not_fail(self, open_shop: OpenShop) -> None:
        answer = get(open_shop(f"http://127.0.0.1:{free_port()}"), "shop")
        assert (answer["source"], answer["shelves"]) == ("fallback", [])

    def test_the_fallback_leaves_out_cart_and_page(self, shelf: Shelf, open_shop: OpenShop) -> None:
        cart = shelf.kit.basket({shelf.variants["F"]: 1})
        client = open_shop(f"http://127.0.0.1:{free_port()}")
        answer = get(client, f"products/{shelf.ids['E']}", cart=cart)
        assert shelf.letters(answer["shelves"][0]) == "DCBA"


def _look(kit: TradeKit, product_id: int, *, customer_id: int | None) -> None:
    event = behaviour.Event(
        event_id=f"event-{product_id}",
        type="view",
        anonymous_id="anon-0001",
        session_id="visit-0001",
        product_id=product_id,
    )
    kit.run(lambda s: behaviour.record(s, [event], customer_id=customer_id, now=kit.now))
