"""What follows an order: parcels, reviews, returns, cancellations, questions to the shop."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from transactional.core.errors import ShopError
from transactional.orders import service as orders
from transactional.orders.service import OrderLine
from transactional.returns import service as returns
from transactional.reviews import service as reviews
from transactional.reviews.service import ReviewStatus
from transactional.simulation import wording
from transactional.simulation.gifts import GIFTS
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import Stage, actor_of
from transactional.tickets import service as tickets
from transactional.tickets.service import ResolutionCode, TicketCategory, TicketPriority

STAFF = "staff"
_BY_SKU = {gift.sku: gift for gift in GIFTS}
_CANCELS = 0.02
_ASKS = 0.05
_REVIEWS = 0.32
_CARRIERS = ("Delhivery", "Blue Dart", "India Post", "Ekart")
_REASONS = ("not as expected", "arrived damaged", "wrong colour", "came too late for the day", "does not fit the taste")


def plan(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """Plan what becomes of an order that is paid, or will be at the door."""
    if stage.chance(_CANCELS):
        stage.agenda.at(stage.now + stage.after(1, 5), lambda now: _cancel(stage, shopper, order_id, now))
        return
    stage.agenda.at(stage.now + stage.after(8, 44), lambda now: _dispatch(stage, shopper, order_id, now))
    if stage.chance(_ASKS) and not shopper.is_guest:
        stage.agenda.at(stage.now + stage.after(6, 120), lambda now: _ask(stage, shopper, order_id, now))


def _cancel(stage: Stage, shopper: Shopper, order_id: int, now: datetime) -> None:
    stage.work(
        actor_of(shopper),
        lambda s: orders.cancel(s, order_id=order_id, actor=actor_of(shopper), reason="changed my mind", now=now).id,
    )
    stage.counts["cancellations"] += 1


def _dispatch(stage: Stage, shopper: Shopper, order_id: int, now: datetime) -> None:
    packed = now - stage.after(1, 6)

    def job(session: Session) -> None:
        orders.pack(session, order_id=order_id, actor=STAFF, now=packed)
        orders.ship(
            session,
            order_id=order_id,
            actor=STAFF,
            carrier=stage.rng.choice(_CARRIERS),
            tracking_number=f"AWB{order_id:09d}",
            weight_grams=stage.rng.randint(150, 2_500),
            now=now,
        )

    stage.work(STAFF, job)
    late = stage.after(48, 120) if stage.chance(0.08) else timedelta()
    stage.agenda.at(now + stage.after(30, 110) + late, lambda then: _deliver(stage, shopper, order_id, then))


def _deliver(stage: Stage, shopper: Shopper, order_id: int, now: datetime) -> None:
    def job(session: Session) -> Sequence[OrderLine]:
        orders.deliver(session, order_id=order_id, actor="courier", now=now)
        return orders.lines_of(session, order_id)

    stage.counts["deliveries"] += 1
    for line in stage.work("courier", job):
        score = _score(stage, line.sku)
        if not shopper.is_guest and stage.chance(_REVIEWS):
            write = partial(_review, stage, shopper, line, score)
            stage.agenda.at(now + stage.after(20, 240), write)
        if stage.chance(0.015 + (0.28 if score <= 2 else 0.0)):
            units = {line.id: stage.rng.randint(1, line.quantity)}
            stage.agenda.at(now + stage.after(10, 200), partial(_return, stage, shopper, order_id, units))


def _score(stage: Stage, sku: str) -> int:
    """One to five stars around the gift's true quality."""
    return min(5, max(1, round(stage.rng.gauss(stage.tastes.quality[sku], 0.9))))


def _review(stage: Stage, shopper: Shopper, line: OrderLine, score: int, now: datetime) -> None:
    title, body = wording.review(stage.rng, _BY_SKU[line.sku], score, shopper.language)
    assert shopper.customer_id is not None
    customer_id = shopper.customer_id
    review_id = stage.work(
        actor_of(shopper),
        lambda session: (
            reviews.write_review(
                session,
                customer_id=customer_id,
                order_line_id=line.id,
                score=score,
                title=title,
                body=body,
                now=now,
            ).id
        ),
    )
    stage.counts["reviews"] += 1
    verdict = ReviewStatus.REJECTED if stage.chance(0.02) else ReviewStatus.APPROVED
    stage.plan_work(
        stage.after(1, 30), STAFF, lambda s, then: reviews.moderate(s, review_id=review_id, to=verdict, now=then)
    )


def _return(stage: Stage, shopper: Shopper, order_id: int, units: dict[int, int], now: datetime) -> None:
    """Send back some units (by line); staff decide, the parcel comes, the money goes."""

    def job(session: Session) -> int | None:
        try:
            with session.begin_nested():
                return returns.request_return(
                    session,
                    order_id=order_id,
                    quantities=units,
                    reason=stage.rng.choice(_REASONS),
                    window_days=stage.settings.return_window_days,
                    now=now,
                ).id
        except ShopError:
            return None

    return_id = stage.work(actor_of(shopper), job)
    if return_id is None:
        return
    stage.counts["returns"] += 1
    if stage.chance(0.06):
        stage.plan_work(stage.after(4, 40), STAFF, lambda s, then: returns.reject(s, return_id=return_id, now=then))
        return
    stage.plan_work(stage.after(4, 40), STAFF, lambda s, then: returns.approve(s, return_id=return_id, now=then))
    stage.plan_work(
        stage.after(72, 190),
        STAFF,
        lambda s, then: returns.process(s, return_id=return_id, actor=STAFF, now=then),
    )


def _ask(stage: Stage, shopper: Shopper, order_id: int, now: datetime) -> None:
    category = stage.rng.choice(tuple(TicketCategory))
    subject, body = wording.ticket(stage.rng, category)
    assert shopper.customer_id is not None
    customer_id = shopper.customer_id

    def job(session: Session) -> str:
        return tickets.open_ticket(
            session,
            customer_id=customer_id,
            category=category,
            subject=subject,
            body=body,
            priority=stage.rng.choice((TicketPriority.NORMAL, TicketPriority.NORMAL, TicketPriority.HIGH)),
            order_number=orders.get_order(session, order_id).order_number,
            actor=actor_of(shopper),
            now=now,
        ).public_id

    reference = stage.work(actor_of(shopper), job)
    stage.counts["tickets"] += 1
    stage.agenda.at(now + stage.after(0.5, 30), lambda then: _answer(stage, reference, then))


def _answer(stage: Stage, reference: str, now: datetime) -> None:
    def job(session: Session) -> None:
        ticket = tickets.get_ticket(session, ticket_public_id=reference)
        tickets.assign(session, ticket=ticket, assignee_id=stage.shelf.staff_user_id, now=now)
        tickets.reply_as_staff(
            session,
            ticket=ticket,
            body=wording.answer(stage.rng),
            user_id=stage.shelf.staff_user_id,
            actor=STAFF,
            now=now,
        )

    def close_case(session: Session, then: datetime) -> None:
        ticket = tickets.get_ticket(session, ticket_public_id=reference)
        tickets.resolve(session, ticket=ticket, code=ResolutionCode.ANSWERED, actor=STAFF, now=then)

    stage.work(STAFF, job)
    stage.plan_work(stage.after(2, 72), STAFF, close_case)
