"""Customer groups: who belongs to one, and since when. Segments of the warehouse are groups as well."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, delete, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.accounts.service import existing_customer_ids
from transactional.core.db import insert_into
from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.promotions.models import CustomerGroup, CustomerGroupMember, GroupSource


def create_group(
    session: Session,
    *,
    name: str,
    now: datetime,
    description: str | None = None,
    source: GroupSource = GroupSource.MANUAL,
) -> CustomerGroup:
    """A group without members. Raises InvalidInput for an empty name, Conflict for one that is there."""
    if not name.strip():
        raise InvalidInput("a group has a name", field="name")
    group = CustomerGroup(name=name.strip(), description=description, source=source, created_at=now)
    try:
        with session.begin_nested():
            session.add(group)
    except IntegrityError as error:
        raise Conflict(f"there is a group {name.strip()!r} already") from error
    return group


def get_group(session: Session, name: str) -> CustomerGroup:
    """The group of this name. Raises NotFound."""
    group = session.scalar(select(CustomerGroup).where(CustomerGroup.name == name))
    if group is None:
        raise NotFound(f"there is no customer group {name!r}")
    return group


def list_groups(session: Session, *, now: datetime) -> Sequence[tuple[CustomerGroup, int]]:
    """Every group with the number of its members now, by name."""
    members: ScalarSelect[int] = (
        select(func.count())
        .where(CustomerGroupMember.group_id == CustomerGroup.id, *_at(now))
        .correlate(CustomerGroup)
        .scalar_subquery()
    )
    return [
        (group, count) for group, count in session.execute(select(CustomerGroup, members).order_by(CustomerGroup.name))
    ]


def set_members(session: Session, *, group: CustomerGroup, customer_ids: Iterable[int], now: datetime) -> int:
    """Make these customers the group's members from now on; gives how many memberships began or ended.

    Whoever stays keeps their membership. Raises InvalidInput for a customer that does not exist.
    """
    wanted = set(customer_ids)
    present = set(
        session.scalars(
            select(CustomerGroupMember.customer_id).where(CustomerGroupMember.group_id == group.id, *_at(now))
        )
    )
    _end(session, group, present - wanted, now)
    _begin(session, group, wanted - present, now)
    return len(present ^ wanted)


def groups_of(session: Session, *, customer_id: int, now: datetime) -> frozenset[str]:
    """The names of the groups that a customer belongs to now."""
    return frozenset(
        session.scalars(
            select(CustomerGroup.name)
            .join(CustomerGroupMember, CustomerGroupMember.group_id == CustomerGroup.id)
            .where(CustomerGroupMember.customer_id == customer_id, *_at(now))
        )
    )


def _end(session: Session, group: CustomerGroup, customer_ids: set[int], now: datetime) -> None:
    if not customer_ids:
        return
    of_them = (CustomerGroupMember.group_id == group.id, CustomerGroupMember.customer_id.in_(sorted(customer_ids)))
    # A membership that began this very moment was none.
    session.execute(delete(CustomerGroupMember).where(*of_them, CustomerGroupMember.valid_from == now))
    session.execute(
        update(CustomerGroupMember)
        .where(*of_them, *_at(now))
        .values(valid_to=now)
        .execution_options(synchronize_session=False)
    )


def _begin(session: Session, group: CustomerGroup, customer_ids: set[int], now: datetime) -> None:
    rows = [
        {"group_id": group.id, "customer_id": customer_id, "valid_from": now, "valid_to": None}
        for customer_id in sorted(customer_ids)
    ]
    if not rows:
        return
    begin = insert_into(session, CustomerGroupMember)
    begin = begin.on_conflict_do_update(
        index_elements=["group_id", "customer_id", "valid_from"], set_={"valid_to": None}
    )
    try:
        with session.begin_nested():
            session.execute(begin, rows)
    except IntegrityError as error:
        unknown = sorted(customer_ids - existing_customer_ids(session, customer_ids))
        raise InvalidInput(
            f"there is no customer {', '.join(map(str, unknown))}", field="customer_ids", unknown=unknown
        ) from error


def _at(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        CustomerGroupMember.valid_from <= now,
        or_(CustomerGroupMember.valid_to.is_(None), CustomerGroupMember.valid_to > now),
    )
