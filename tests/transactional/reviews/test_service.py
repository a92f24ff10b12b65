"""Reviews: only of what was delivered, once a line, counted when approved."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.support.trade import TradeKit
from tests.support.web import log_in, make_client, make_staff
from transactional.core.errors import Conflict, IllegalTransition, InvalidInput, NotFound
from transactional.core.uow import Database
from transactional.reviews import service
from transactional.reviews.service import NO_RATING, Rating, ReviewStatus


@dataclass
class Shop:
    """A delivered order of two lines, and who placed it."""

    kit: TradeKit
    customer: int
    lines: list[int]
    product: int

    def write(self, *, line: int = 0, score: int = 5, customer: int | None = None, body: str = "") -> int:
        def work(session: object) -> int:
            return service.write_review(
                session,  # type: ignore[arg-type]
                customer_id=customer or self.customer,
                order_line_id=self.lines[line],
                score=score,
                body=body,
                now=self.kit.now,
            ).id

        return self.kit.run(work)

    def moderate(self, review_id: int, to: ReviewStatus) -> None:
        self.kit.run(lambda session: service.moderate(session, review_id=review_id, to=to, now=self.kit.now).id)

    def rating(self) -> Rating:
        with self.kit.database.read() as session:
            return service.ratings(session, [self.product]).get(self.product, NO_RATING)


def make_shop(database: Database, *, delivered: bool = True) -> Shop:
    kit = TradeKit(database)
    customer = kit.customer()
    lamp, scarf = kit.variant("LAMP", stock=9), kit.variant("SCARF", stock=9)
    order = kit.buy({lamp: 1, scarf: 2}, customer_id=customer)
    if delivered:
        kit.deliver(order)
    lines = kit.lines(order)
    return Shop(kit, customer, [line.id for line in lines], lines[0].product_id)


@pytest.fixture
def shop(database: Database) -> Shop:
    return make_shop(database)


def test_what_has_not_arrived_cannot_be_reviewed(database: Database) -> None:
    with pytest.raises(Conflict, match="delivered"):
        make_shop(database, delivered=False).write()


def test_a_stranger_s_line_is_not_found(shop: Shop) -> None:
    stranger = shop.kit.customer("ravi@example.com")
    with pytest.raises(NotFound):
        shop.write(customer=stranger)
    shop.lines[0] = 999
    with pytest.raises(NotFound):
        shop.write()


@pytest.mark.parametrize("score", [0, 6, -1])
def test_stars_go_from_one_to_five(shop: Shop, score: int) -> None:
    with pytest.raises(InvalidInput):
        shop.write(score=score)


def test_one_review_a_line_also_when_two_come_at_once(any_database: Database) -> None:
    shop = make_shop(any_database)
    barrier = threading.Barrier(4)

    def write(_: int) -> bool:
        barrier.wait()
        try:
            shop.write()
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(write, range(4))) == [False, False, False, True]
    shop.write(line=1)


def test_only_approved_reviews_count_and_the_mean_moves_exactly(shop: Shop) -> None:
    review = shop.write(score=2)
    assert shop.rating() == NO_RATING
    shop.moderate(review, ReviewStatus.APPROVED)
    assert shop.rating() == Rating(count=1, mean=2.0, bayesian_mean=round((5 * 3.5 + 2) / 6, 2))
    shop.moderate(review, ReviewStatus.APPROVED)
    shop.moderate(review, ReviewStatus.REJECTED)
    assert shop.rating() == NO_RATING
    shop.moderate(review, ReviewStatus.APPROVED)
    assert shop.rating().count == 1


def test_nothing_goes_back_to_pending_but_by_an_edit(shop: Shop) -> None:
    review = shop.write(score=1, body="kaputt")
    shop.moderate(review, ReviewStatus.APPROVED)
    with pytest.raises(IllegalTransition):
        shop.moderate(review, ReviewStatus.PENDING)
    shop.kit.run(
        lambda s: service.edit_review(s, review_id=review, customer_id=shop.customer, score=4, body="ersetzt 🎁").id
    )
    assert shop.rating() == NO_RATING
    with shop.kit.database.read() as session:
        edited = service.get_review(session, review)
    assert (edited.status, edited.score, edited.body) == (ReviewStatus.PENDING, 4, "ersetzt 🎁")


def test_nobody_edits_another_s_review(shop: Shop) -> None:
    review = shop.write()
    with pytest.raises(NotFound):
        shop.kit.run(lambda s: service.edit_review(s, review_id=review, customer_id=shop.customer + 1, score=1).id)


@pytest.fixture
def client(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    with make_client(database, tmp_path) as client:
        yield client


@pytest.mark.slow
def test_over_http_from_the_pen_to_the_product_page(shop: Shop, client: TestClient, database: Database) -> None:
    make_staff(database, "boss@example.com", "super_admin")
    asha, boss = log_in(client, "asha@example.com"), log_in(client, "boss@example.com")
    body = {"order_line_id": shop.lines[0], "score": 4, "title": "Lovely"}
    written = client.post("/v1/reviews", json=body, headers={**asha, "Idempotency-Key": "r1"})
    assert written.status_code == 201, written.text
    again = client.post("/v1/reviews", json=body, headers={**asha, "Idempotency-Key": "r1"})
    assert again.json() == written.json()
    review = written.json()["id"]
    public = f"/v1/products/{shop.product}/reviews"
    assert client.get(public).json()["items"] == []
    assert client.get("/v1/staff/reviews", headers=asha).status_code == 403
    assert [r["id"] for r in client.get("/v1/staff/reviews", headers=boss).json()["items"]] == [review]
    assert client.post(f"/v1/staff/reviews/{review}/approve", headers=boss).status_code == 200
    page = client.get(public).json()
    assert (page["count"], page["mean"], page["items"][0]["title"]) == (1, 4.0, "Lovely")
    assert client.get(f"/v1/products/{shop.product}").json()["rating"]["count"] == 1
    assert client.post(f"/v1/staff/reviews/{review}/reject", headers=boss).status_code == 200
    assert client.get(public).json()["count"] == 0
    assert client.get("/v1/reviews/mine", headers=asha).json()["items"][0]["status"] == "rejected"
    changed = client.put(f"/v1/reviews/{review}", json={"score": 5}, headers=asha)
    assert changed.json()["status"] == "pending"
    assert client.post("/v1/staff/reviews/999/approve", headers=boss).status_code == 404
    assert (
        client.post("/v1/reviews", json={**body, "score": 6}, headers={**asha, "Idempotency-Key": "r2"}).status_code
        == 422
    )
    assert client.post("/v1/reviews", json=body, headers={"Idempotency-Key": "r3-anonymous-caller"}).status_code == 401
