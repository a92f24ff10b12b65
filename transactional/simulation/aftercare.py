"""What follows a delivery: reviews, returns, requests for help — and what staff do about them."""

import random
from datetime import datetime, timedelta

from transactional.inventory import service as inventory
from transactional.orders import service as orders
from transactional.returns import service as returns
from transactional.reviews import service as reviews
from transactional.reviews.service import ReviewStatus
from transactional.simulation import voices
from transactional.simulation.counter import Counter
from transactional.simulation.shoppers import Shopper
from transactional.tickets import service as tickets
from transactional.tickets.service import ResolutionCode, TicketCategory, TicketPriority

_REORDER_BELOW, _REORDER_UNITS = 60, 200


def review_order(rng: random.Random, counter: Counter, shopper: Shopper, order_id: int, happiness: float) -> list[int]:
    """The shopper reviews what was delivered; gives the ids of the reviews."""
    now = counter.clock.now()
    written = []
    with counter.database.unit_of_work(actor="simulation") as session:
        for line in orders.lines_of(session, order_id):
            score = _stars(rng, happiness)
            title, body = voices.review(rng, shopper.language, line.title, score)
            review = reviews.write_review(
                session,
                customer_id=counter.customer_id(shopper),
                order_line_id=line.id,
                score=score,
                title=title,
                body=body,
                now=now,
            )
            written.append(review.id)
    return written


def _stars(rng: random.Random, happiness: float) -> int:
    return min(5, max(1, round(rng.gauss(1 + 4 * happiness, 0.8))))


def moderate(rng: random.Random, counter: Counter, review_ids: list[int]) -> None:
    """Staff read the reviews; nearly all are approved."""
    with counter.database.unit_of_work(actor="simulation") as session:
        for review_id in review_ids:
            verdict = ReviewStatus.APPROVED if rng.random() < 0.96 else ReviewStatus.REJECTED
            reviews.moderate(session, review_id=review_id, to=verdict, now=counter.clock.now())


def request_return(rng: random.Random, counter: Counter, order_id: int) -> int:
    """The shopper sends one line, or a part of it, back; gives the return's id."""
    with counter.database.unit_of_work(actor="simulation") as session:
        lines = orders.lines_of(session, order_id)
        line = lines[rng.randrange(len(lines))]
        request = returns.request_return(
            session,
            order_id=order_id,
            quantities={line.id: rng.randint(1, line.quantity)},
            reason=rng.choice(("arrived damaged", "not as expected", "came too late", "wrong size")),
            window_days=counter.settings.return_window_days,
            now=counter.clock.now(),
        )
        return request.id


def settle_return(rng: random.Random, counter: Counter, return_id: int) -> None:
    """Staff decide, and take the goods back."""
    now = counter.clock.now()
    with counter.database.unit_of_work(actor="simulation") as session:
        if rng.random() < 0.06:
            returns.reject(session, return_id=return_id, note="signs of use", now=now)
            return
        returns.approve(session, return_id=return_id, now=now)
        returns.process(session, return_id=return_id, actor="simulation", now=now)


def ask_for_help(rng: random.Random, counter: Counter, shopper: Shopper, order_number: str) -> str:
    """The shopper opens a ticket; gives its public id."""
    category, subject, body = voices.trouble(rng)
    with counter.database.unit_of_work(actor="simulation") as session:
        ticket = tickets.open_ticket(
            session,
            customer_id=counter.customer_id(shopper),
            category=TicketCategory(category),
            subject=subject,
            body=body,
            priority=TicketPriority.HIGH if category == "payment_issue" else TicketPriority.NORMAL,
            order_number=order_number,
            actor="simulation",
            now=counter.clock.now(),
        )
        return ticket.public_id


def answer(counter: Counter, ticket_id: str) -> None:
    """Staff answer in public."""
    with counter.database.unit_of_work(actor="simulation") as session:
        ticket = tickets.get_ticket(session, ticket_public_id=ticket_id)
        body = voices.ANSWERS[ticket.category.value]
        tickets.reply_as_staff(session, ticket=ticket, body=body, actor="simulation", now=counter.clock.now())


def resolve(counter: Counter, ticket_id: str) -> None:
    """The matter is settled."""
    with counter.database.unit_of_work(actor="simulation") as session:
        ticket = tickets.get_ticket(session, ticket_public_id=ticket_id)
        tickets.resolve(
            session, ticket=ticket, code=ResolutionCode.ANSWERED, actor="simulation", now=counter.clock.now()
        )


def reorder(counter: Counter) -> None:
    """Staff fill what runs low."""
    now = counter.clock.now()
    with counter.database.unit_of_work(actor="simulation") as session:
        location = inventory.default_location(session)
        for level in inventory.levels(session, limit=1000):
            if level.on_hand - level.reserved < _REORDER_BELOW:
                inventory.receive(
                    session,
                    variant_id=level.variant_id,
                    location_id=location.id,
                    quantity=_REORDER_UNITS,
                    reason="restocked by the supplier",
                    now=now,
                )


def soon(rng: random.Random, moment: datetime, low_days: float, high_days: float) -> datetime:
    """A moment some days later."""
    return moment + timedelta(days=rng.uniform(low_days, high_days))
