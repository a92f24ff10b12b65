"""Two hundred buyers of the last ten units, over HTTP and on PostgreSQL."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.keys import keyed
from tests.support.trade import ADDRESS, TradeKit
from tests.support.web import make_client
from transactional.orders.models import Order

BUYERS = 200
LEFT = 10

pytestmark = [pytest.mark.postgres, pytest.mark.slow]


def test_ten_get_one_and_everybody_else_hears_why(pg_kit: TradeKit, tmp_path: Path) -> None:
    """Half of the baskets hold a second article too, so that the buyers meet at two shelves; nobody gets a 5xx."""
    cup, card = pg_kit.variant("CUP", stock=LEFT), pg_kit.variant("CARD", stock=10 * BUYERS)
    start = threading.Barrier(BUYERS)
    with make_client(pg_kit.database, tmp_path) as client, ThreadPoolExecutor(BUYERS) as threads:

        def fill(number: int) -> str:
            articles = [[cup], [cup, card], [card, cup]][number % 3]
            lines = [{"variant_id": article} for article in articles]
            cart_id: str = client.post("/v1/carts", json={"lines": lines}, headers=keyed()).json()["id"]
            return cart_id

        def buy(number: int, cart_id: str) -> tuple[int, str]:
            body = {"cart_id": cart_id, "email": f"guest{number}@example.com", "ship_to": ADDRESS}
            start.wait(timeout=60)
            answer = client.post("/v1/checkout", json=body, headers=keyed())
            return answer.status_code, answer.json().get("type", "").rpartition(":")[2]

        carts = [fill(number) for number in range(BUYERS)]
        outcomes = Counter(threads.map(buy, range(BUYERS), carts))
    assert outcomes == {(201, ""): LEFT, (409, "out-of-stock"): BUYERS - LEFT}
    assert pg_kit.count(Order) == LEFT
    assert pg_kit.level(cup) == (LEFT, LEFT)
    pg_kit.assert_sound()
