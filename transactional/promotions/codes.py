"""Coupon codes: made one by one or in batches of single-use ones, and found again."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.core.errors import Conflict, InvalidInput, NotFound
from transactional.promotions.models import CouponBatch, CouponCode, Promotion

MAX_BATCH = 10_000
_CODE_LENGTH = 40
# Without vowels no words come about; without 0, 1, I, L, O nothing is misread.
_ALPHABET = "23456789BCDFGHJKMNPQRSTVWXYZ"
_RANDOM_LENGTH = 12
"""28¹² ≈ 2⁵⁷ codes: guessing one of a million takes some 10¹¹ tries."""
_LONGEST_PREFIX = _CODE_LENGTH - _RANDOM_LENGTH - 1
_FIELDS = ("usage_limit", "per_customer_limit")


@dataclass(frozen=True, slots=True)
class NewCode:
    """A code to be made. None: no limit."""

    code: str
    usage_limit: int | None = None
    per_customer_limit: int | None = None
    overdraft_limit: int = 0
    frees_on_full_refund: bool = False


def normalise_code(code: str) -> str:
    """A code as it is stored: trimmed, upper case. Raises InvalidInput for an impossible one."""
    clean = code.strip().upper()
    if not clean or len(clean) > _CODE_LENGTH or not all(c.isascii() and (c.isalnum() or c in "-_") for c in clean):
        raise InvalidInput("a coupon code is 1 to 40 letters, digits, hyphens and underscores")
    return clean


def add_code(session: Session, *, promotion: Promotion, new: NewCode) -> CouponCode:
    """Give a promotion a code. Its uses are claimed by its own counter.

    Raises InvalidInput for figures outside their range or an automatic offer, Conflict where the code exists.
    """
    clean = normalise_code(new.code)
    _check(promotion, new)
    coupon = CouponCode(
        promotion_id=promotion.id,
        code=clean,
        usage_limit=new.usage_limit,
        per_customer_limit=new.per_customer_limit,
        overdraft_limit=new.overdraft_limit,
        used=0,
        frees_on_full_refund=new.frees_on_full_refund,
    )
    try:
        with session.begin_nested():
            session.add(coupon)
    except IntegrityError as error:
        raise Conflict(f"the code {clean} exists already") from error
    return coupon


def make_batch(
    session: Session, *, promotion: Promotion, name: str, quantity: int, actor: str, now: datetime, prefix: str = ""
) -> tuple[CouponBatch, Sequence[str]]:
    """Codes that count once each, from a secure source; gives the batch and them.

    Raises InvalidInput for a quantity outside 1 … `MAX_BATCH`, a prefix that is too long or an automatic offer.
    """
    start = f"{normalise_code(prefix)}-" if prefix else ""
    if len(start) > _LONGEST_PREFIX + 1:
        raise InvalidInput(f"a prefix has at most {_LONGEST_PREFIX} characters", field="prefix")
    if not 1 <= quantity <= MAX_BATCH:
        raise InvalidInput(f"a batch has 1 to {MAX_BATCH} codes", field="quantity")
    if not name.strip():
        raise InvalidInput("a batch has a name", field="name")
    _refuse_automatic(promotion)
    batch = CouponBatch(promotion_id=promotion.id, name=name.strip(), quantity=quantity, actor=actor, created_at=now)
    session.add(batch)
    session.flush()
    codes: set[str] = set()
    while len(codes) < quantity:
        codes.add(start + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH)))
    made = sorted(codes)
    session.execute(
        insert(CouponCode),
        [
            {
                "promotion_id": promotion.id,
                "batch_id": batch.id,
                "code": code,
                "usage_limit": 1,
                "used": 0,
                "frees_on_full_refund": promotion.frees_on_full_refund,
            }
            for code in made
        ],
    )
    return batch, made


def get_coupon(session: Session, code: str) -> tuple[Promotion, CouponCode]:
    """A code with its promotion, as the database has them now. Raises NotFound."""
    row = session.execute(
        select(Promotion, CouponCode)
        .join(CouponCode, CouponCode.promotion_id == Promotion.id)
        .where(CouponCode.code == normalise_code(code))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no coupon {code.strip().upper()}")
    return row[0], row[1]


def list_coupons(
    session: Session, *, before_id: int | None = None, limit: int = 50, promotion_id: int | None = None
) -> Sequence[tuple[Promotion, CouponCode]]:
    """Codes with their promotions, newest first; those of one promotion only, where it is named."""
    statement = (
        select(Promotion, CouponCode)
        .join(CouponCode, CouponCode.promotion_id == Promotion.id)
        .order_by(CouponCode.id.desc())
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    if before_id is not None:
        statement = statement.where(CouponCode.id < before_id)
    if promotion_id is not None:
        statement = statement.where(CouponCode.promotion_id == promotion_id)
    return [(promotion, coupon) for promotion, coupon in session.execute(statement)]


def get_batch(session: Session, *, promotion_id: int, batch_id: int) -> tuple[CouponBatch, Sequence[CouponCode]]:
    """A promotion's batch and its codes with their counters. Raises NotFound."""
    batch = session.get(CouponBatch, batch_id)
    if batch is None or batch.promotion_id != promotion_id:
        raise NotFound(f"promotion {promotion_id} has no batch {batch_id}")
    codes = select(CouponCode).where(CouponCode.batch_id == batch_id).order_by(CouponCode.id)
    return batch, session.scalars(codes).all()


def _check(promotion: Promotion, new: NewCode) -> None:
    _refuse_automatic(promotion)
    for name in _FIELDS:
        limit = getattr(new, name)
        if limit is not None and limit < 1:
            raise InvalidInput("a limit is at least 1, or absent", field=name)
    if new.overdraft_limit < 0:
        raise InvalidInput("an overdraft is not negative", field="overdraft_limit")
    if new.overdraft_limit and new.usage_limit is None:
        raise InvalidInput("an overdraft goes beyond a limit: there is none", field="overdraft_limit")


def _refuse_automatic(promotion: Promotion) -> None:
    if promotion.is_automatic:
        raise InvalidInput("an automatic offer needs no code")
