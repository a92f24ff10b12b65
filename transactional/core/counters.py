"""Numbers that people read aloud: gapless per series, given inside the transaction that uses them."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.models import Counter


def next_number(session: Session, series: str, *, step: int = 1) -> int:
    """The next number of a series (the last of `step` numbers); the row stays locked until the commit, so no gaps."""
    bump = update(Counter).where(Counter.series == series).values(value=Counter.value + step).returning(Counter.value)
    value = session.scalar(bump)
    if value is None:
        session.execute(
            insert_into(session, Counter)
            .values(series=series, value=0)
            .on_conflict_do_nothing(index_elements=["series"])
        )
        value = session.scalar(bump)
    assert value is not None
    return value
