"""Numbers that people read aloud: gapless ones for documents, and merely rising ones that nobody waits for."""

from collections.abc import Sequence

from sqlalchemy import select, text, update
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


def next_ordinals(session: Session, series: str, *, count: int = 1) -> list[int]:
    """The next `count` numbers of a series that may have gaps: a rolled back transaction takes its numbers along.

    On PostgreSQL they come from a sequence, so that two transactions never wait for each other. It is made at the first
    use of the series and goes on after the series' counter row, if there is one. SQLite has but one writer at a time.
    """
    if session.get_bind().dialect.name == "sqlite":
        last = next_number(session, series, step=count)
        return list(range(last - count + 1, last + 1))
    sequence = f"ordinal_{series.replace(':', '_')}"
    if not sequence.isidentifier():
        raise ValueError(f"{series!r} cannot name a series of ordinals")
    drawn = _draw(session, sequence, count)
    if drawn[0] is None:
        _make_sequence(session, series, sequence)
        drawn = _draw(session, sequence, count)
    return [int(number) for number in drawn if number is not None]


def _draw(session: Session, sequence: str, count: int) -> Sequence[int | None]:
    """The sequence's next numbers; nothing but None while there is no such sequence."""
    draw = text("SELECT nextval(to_regclass(:sequence)) FROM generate_series(1, :count)")
    return session.connection().execute(draw, {"sequence": sequence, "count": count}).scalars().all()


def _make_sequence(session: Session, series: str, sequence: str) -> None:
    # One maker at a time: `IF NOT EXISTS` alone lets two of them collide in the catalogue.
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:sequence))"), {"sequence": sequence})
    last = session.scalar(select(Counter.value).where(Counter.series == series)) or 0
    session.execute(text(f"CREATE SEQUENCE IF NOT EXISTS {sequence} START WITH {last + 1}"))
