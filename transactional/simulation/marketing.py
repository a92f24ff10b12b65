"""The marketing desk on the first of a month: points, groups, letters with codes of their own, and partners' money."""

from datetime import timedelta

from sqlalchemy.orm import Session

from transactional.loyalty import jobs as loyalty_jobs
from transactional.promotions import jobs as promotion_jobs
from transactional.promotions import service as promotions
from transactional.promotions.service import Terms
from transactional.simulation import offers, partners, rewards
from transactional.simulation.shoppers import Shopper
from transactional.simulation.stage import STAFF, Stage

_LETTER_MONTHS = (1, 4, 7, 10)
_LETTER_LIFE = timedelta(days=75)
_FRIEND_FROM_UNITS = 4


def of_month(stage: Stage) -> None:
    """Do what is done once a month."""
    _turn_the_hands(stage)
    loyalty_jobs.send_notices(stage.database)
    partners.of_month(stage)
    rewards.of_month(stage)
    _count_friends(stage)
    if stage.now.month in _LETTER_MONTHS:
        _write_letters(stage)


def last(stage: Stage) -> None:
    """Leave no lot, tier or offer in a state that is over."""
    _turn_the_hands(stage)


def _turn_the_hands(stage: Stage) -> None:
    """Balances and prices are right without these jobs, which only move lots, tiers and offers to their next state."""
    loyalty_jobs.activate_due_points(stage.database)
    loyalty_jobs.expire_due_points(stage.database)
    loyalty_jobs.review_tiers(stage.database)
    promotion_jobs.follow_the_clock(stage.database)


def _count_friends(stage: Stage) -> None:
    """Whoever has bought often enough is a friend of the house from now on."""
    friends = [one for one in _customers(stage) if sum(one.bought.values()) >= _FRIEND_FROM_UNITS]
    if all(friend.is_friend for friend in friends):
        return

    def job(session: Session) -> None:
        group = promotions.get_group(session, offers.FRIENDS)
        ids = [friend.customer_id for friend in friends if friend.customer_id is not None]
        promotions.set_members(session, group=group, customer_ids=ids, now=stage.now)

    stage.work(STAFF, job)
    for friend in friends:
        friend.is_friend = True


def _write_letters(stage: Stage) -> None:
    """Every customer who agreed to get mail has a code that counts once."""
    readers = [one for one in _customers(stage) if one.consents and one.bought]
    if not readers:
        return

    def job(session: Session) -> list[str]:
        rule = {
            "kind": "percentage",
            "args": {"bp": 1_800, "cap_minor": 25_000},
            "discount_class": "order",
            "combines_with": ["shipping"],
        }
        name = f"Letter of {stage.now:%B %Y}"
        terms = Terms(name, starts_at=stage.now, ends_at=stage.now + _LETTER_LIFE)
        promotion = offers.write(session, rule, terms)
        _, codes = promotions.make_batch(
            session, promotion=promotion, name=name, quantity=len(readers), actor=STAFF, prefix="DEAR", now=stage.now
        )
        return list(codes)

    for reader, code in zip(readers, stage.work(STAFF, job), strict=True):
        reader.letter = code
    stage.counts["letters"] += len(readers)


def _customers(stage: Stage) -> list[Shopper]:
    return [shopper for shopper in stage.shoppers if shopper.customer_id is not None and not shopper.is_guest]
