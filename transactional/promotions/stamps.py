"""A token that changes with every change of any promotion, in the same transaction.

It is random, not counted: a change that is rolled back must not leave a number behind that the next change takes again.
"""

import secrets

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from transactional.promotions.models import PromotionStamp

_THE_ROW = 1
# Built once: every look at a basket asks.
_TOKEN = select(PromotionStamp.token).where(PromotionStamp.id == _THE_ROW)


def touch(session: Session) -> None:
    """Say that promotions have changed. Changes of promotions wait for each other here."""
    session.execute(
        update(PromotionStamp)
        .where(PromotionStamp.id == _THE_ROW)
        .values(token=secrets.token_hex(16))
        .execution_options(synchronize_session=False)
    )


def token(session: Session) -> str:
    """The present token."""
    return session.scalars(_TOKEN).one()
