"""What customers have to say: reviews of what they got, questions to the shop."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from transactional.orders import service as orders
from transactional.orders.service import OrderLine
from transactional.reviews import service as reviews
from transactional.reviews.service import ReviewStatus
from transactional.simulation import returning, wording
from transactional.simulation.gifts import GIFTS
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage, actor_of
from transactional.tickets import service as tickets
from transactional.tickets.service import ResolutionCode, TicketCategory, TicketPriority

_BY_SKU = {gift.sku: gift for gift in GIFTS}
_REVIEWS = 0.32
_RETURNS = 0.015
_RETURNS_WHAT_DISAPPOINTS = 0.28


def unwrap(stage: Stage, shopper: Shopper, order_id: int, lines: Sequence[OrderLine]) -> None:
    """A parcel was opened: plan what its owner makes of every line in it."""
    for line in lines:
        score = _score(stage, line.sku)
        if not shopper.is_guest and stage.chance(_REVIEWS):
            _later_review(stage, shopper, line, score)
        if stage.chance(_RETURNS + (_RETURNS_WHAT_DISAPPOINTS if score <= 2 else 0.0)):
            units = {line.id: stage.rng.randint(1, line.quantity)}
            returning.plan(stage, shopper, order_id, units, disappointed=score <= 2)


def ask(stage: Stage, shopper: Shopper, order_id: int) -> None:
    """Open a ticket about an order; staff answer and close it."""
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
            now=stage.now,
        ).public_id

    reference = stage.work(actor_of(shopper), job)
    stage.counts["tickets"] += 1
    stage.later(stage.after(0.5, 30), lambda: _answer(stage, reference))


def _score(stage: Stage, sku: str) -> int:
    """One to five stars around the gift's true quality."""
    return min(5, max(1, round(stage.rng.gauss(stage.tastes.quality[sku], 0.9))))


def _later_review(stage: Stage, shopper: Shopper, line: OrderLine, score: int) -> None:
    line_id, sku = line.id, line.sku
    stage.later(stage.after(20, 240), lambda: _review(stage, shopper, line_id, sku, score))


def _review(stage: Stage, shopper: Shopper, line_id: int, sku: str, score: int) -> None:
    title, body = wording.review(stage.rng, _BY_SKU[sku], score, shopper.language)
    assert shopper.customer_id is not None
    customer_id = shopper.customer_id
    review_id = stage.work(
        actor_of(shopper),
        lambda session: (
            reviews.write_review(
                session,
                customer_id=customer_id,
                order_line_id=line_id,
                score=score,
                title=title,
                body=body,
                now=stage.now,
            ).id
        ),
    )
    stage.counts["reviews"] += 1
    verdict = ReviewStatus.REJECTED if stage.chance(0.02) else ReviewStatus.APPROVED
    stage.plan_work(
        stage.after(1, 30), STAFF, lambda s, then: reviews.moderate(s, review_id=review_id, to=verdict, now=then)
    )


def _answer(stage: Stage, reference: str) -> None:
    def job(session: Session) -> None:
        ticket = tickets.get_ticket(session, ticket_public_id=reference)
        tickets.assign(session, ticket=ticket, assignee_id=stage.shelf.staff_user_id, now=stage.now)
        tickets.reply_as_staff(
            session,
            ticket=ticket,
            body=wording.answer(stage.rng),
            user_id=stage.shelf.staff_user_id,
            actor=STAFF,
            now=stage.now,
        )

    def close_case(session: Session) -> None:
        ticket = tickets.get_ticket(session, ticket_public_id=reference)
        tickets.resolve(session, ticket=ticket, code=ResolutionCode.ANSWERED, actor=STAFF, now=stage.now)

    stage.work(STAFF, job)
    stage.later(stage.after(2, 72), lambda: stage.work(STAFF, close_case))
