"""The worker is killed at every step on its way to a document; restarted, no number is missing and no paper twice."""

from datetime import timedelta

import pytest

from tests.transactional.crash.papers import Papers
from tests.transactional.crash.test_kills import Operation
from transactional.documents.events import REFUND_ORDERED, SETTLE
from transactional.orders.service import STATUS_CHANGED

pytestmark = [pytest.mark.slow, pytest.mark.postgres]


def test_the_invoice_of_a_parcel_that_has_left(papers: Papers) -> None:
    """From the news that something left to the finished message, with the invoice's own transaction between."""
    topics = (STATUS_CHANGED, SETTLE)

    def prepare() -> Operation:
        papers.ship(papers.packed())
        return lambda: papers.scene.doomed_work(*topics)

    assert papers.scene.sweep(prepare, keep=topics) > 30
    papers.scene.let_time_pass()
    papers.check()


def test_credit_notes_of_units_that_came_back_and_of_a_refund_without_units(papers: Papers) -> None:
    """One message leads to both notes: killed at every step of it. An order serves until its notes are written."""
    order_id = two_refunds(papers)

    def prepare() -> Operation:
        nonlocal order_id
        papers.scene.clock.advance(timedelta(minutes=3))  # past the lease of the worker who died
        if papers.notes_of(order_id):
            papers.scene.work()
            papers.scene.log_in()
            order_id = two_refunds(papers)
        return lambda: papers.scene.doomed_work(SETTLE, limit=1)

    assert papers.scene.sweep(prepare, keep=[SETTLE]) > 20
    papers.scene.let_time_pass()
    papers.check()


def test_the_way_from_the_gateway_to_the_credit_notes(papers: Papers) -> None:
    """Both refunds are on their way to the gateway; each gets one note, wherever the worker died."""
    topics = (REFUND_ORDERED, SETTLE)

    def prepare() -> Operation:
        two_refunds(papers)
        return lambda: papers.scene.doomed_work(*topics)

    assert papers.scene.sweep(prepare, keep=topics, every=11) > 50
    papers.scene.let_time_pass()
    papers.check()


def two_refunds(papers: Papers) -> int:
    """An order arrived; a unit of it came back, and some money goes back without one. Gives its id."""
    order_id = papers.delivered()
    papers.send_back(order_id)
    papers.scene.refund(order_id, 1_234, f"kindness-{order_id}")
    papers.scene.work(keep=[REFUND_ORDERED, SETTLE])
    return order_id
