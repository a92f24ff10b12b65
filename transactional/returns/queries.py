"""Reading returns, and who may."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.errors import NotFound
from transactional.core.pagination import Cursor, fetch_page
from transactional.orders import service as orders
from transactional.returns.models import Return, ReturnLine, ReturnStatus


def get_return(session: Session, return_id: int) -> Return:
    """The return as it is now. Raises NotFound."""
    found = session.get(Return, return_id, populate_existing=True)
    if found is None:
        raise _no_such_return()
    return found


def find_return(session: Session, reference: str) -> Return:
    """The return with this public id. Raises NotFound."""
    found = session.scalar(select(Return).where(Return.public_id == reference))
    if found is None:
        raise _no_such_return()
    return found


def find_visible_return(
    session: Session, reference: str, *, customer_id: int | None, guests_order: str | None = None
) -> Return:
    """The return, for whoever may read its order: its customer, or who names the public id of a guest's.

    One that came from an import without a purchase is its customer's. Raises NotFound for all others, worded as for a
    return that does not exist.
    """
    found = find_return(session, reference)
    if found.order_id is None:
        if customer_id is not None and found.customer_id == customer_id:
            return found
        raise _no_such_return()
    named = guests_order or orders.get_order(session, found.order_id).order_number
    try:
        visible = orders.get_visible_order(session, named, customer_id=customer_id)
    except NotFound:
        raise _no_such_return() from None
    if visible.id != found.order_id:
        raise _no_such_return()
    return found


def returns_of_order(session: Session, order_id: int) -> Sequence[Return]:
    """Every return of an order, oldest first."""
    return session.scalars(select(Return).where(Return.order_id == order_id).order_by(Return.id)).all()


def lines_of(session: Session, return_id: int) -> Sequence[ReturnLine]:
    """The return's lines, in the order in which they were asked for."""
    return session.scalars(select(ReturnLine).where(ReturnLine.return_id == return_id).order_by(ReturnLine.id)).all()


def page_of_returns(
    session: Session, cursor: Cursor, *, customer_id: int | None = None, status: ReturnStatus | None = None
) -> tuple[Sequence[Return], str | None]:
    """Returns, newest first: of one customer, in one status, or all."""
    statement = select(Return)
    if customer_id is not None:
        statement = statement.where(Return.customer_id == customer_id)
    if status is not None:
        statement = statement.where(Return.status == status)
    return fetch_page(session, statement, cursor, by=Return.id)


def _no_such_return() -> NotFound:
    return NotFound("there is no such return")
