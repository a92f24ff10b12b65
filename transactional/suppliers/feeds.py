"""What suppliers have: each figure carries the supplier's own time, and an older one never replaces a newer one."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from transactional.core.db import insert_into
from transactional.core.errors import InvalidInput
from transactional.suppliers.catalogue import lock_supplier
from transactional.suppliers.feed_files import Feed, FeedItem
from transactional.suppliers.models import SupplierFeed, SupplierProduct, SupplierStock

_FUTURE = timedelta(minutes=5)
_BATCH = 500


def import_feed(session: Session, *, supplier_id: int, feed: Feed, now: datetime) -> SupplierFeed:
    """Take a supplier's figures in; gives the record of it. The same feed once more changes nothing.

    Articles that the shop does not buy are counted and left. Raises NotFound, InvalidInput for a feed of another
    supplier, for one whose articles are all unknown, and for figures from the future: they would shut out later ones.
    """
    supplier = lock_supplier(session, supplier_id)
    if feed.supplier is not None and feed.supplier.strip().upper() != supplier.code:
        raise InvalidInput(f"the feed is of {feed.supplier}, not of {supplier.code}", field="supplier")
    _refuse_future(feed, now)
    known = session.scalar(
        select(SupplierFeed).where(SupplierFeed.supplier_id == supplier_id, SupplierFeed.content_sha256 == feed.sha256)
    )
    if known is not None:
        return known
    ids = _product_ids(session, supplier_id)
    bought = sorted((ids[item.supplier_sku], item) for item in feed.items if item.supplier_sku in ids)
    if not bought:
        raise InvalidInput(f"of the feed's {len(feed.items)} articles the shop buys none of {supplier.code}")
    record = SupplierFeed(
        supplier_id=supplier_id,
        content_sha256=feed.sha256,
        items=len(feed.items),
        applied=0,
        outdated=0,
        unknown=len(feed.items) - len(bought),
        imported_at=now,
    )
    session.add(record)
    session.flush()
    record.applied = _apply(session, record, bought, now)
    record.outdated = len(bought) - record.applied
    session.flush()
    return record


def stock_of(
    session: Session, supplier_id: int, *, after_id: int | None = None, limit: int = 50
) -> Sequence[tuple[SupplierProduct, SupplierStock]]:
    """What a supplier last said to have, in the order of its articles' ids."""
    statement = (
        select(SupplierProduct, SupplierStock)
        .join(SupplierStock, SupplierStock.supplier_product_id == SupplierProduct.id)
        .where(SupplierProduct.supplier_id == supplier_id)
        .order_by(SupplierProduct.id)
        .limit(limit)
        .execution_options(populate_existing=True)
    )
    if after_id is not None:
        statement = statement.where(SupplierProduct.id > after_id)
    return [(product, stock) for product, stock in session.execute(statement)]


def _refuse_future(feed: Feed, now: datetime) -> None:
    late = next((item for item in feed.items if item.as_of > now + _FUTURE), None)
    if late is not None:
        raise InvalidInput(f"{late.supplier_sku} is said as of {late.as_of.isoformat()}, which is in the future")


def _product_ids(session: Session, supplier_id: int) -> dict[str, int]:
    rows = session.execute(
        select(SupplierProduct.supplier_sku, SupplierProduct.id).where(SupplierProduct.supplier_id == supplier_id)
    )
    return dict(rows.tuples().all())


def _apply(session: Session, record: SupplierFeed, bought: Sequence[tuple[int, FeedItem]], now: datetime) -> int:
    """Write the figures that are newer than what is known; gives how many were."""
    applied = 0
    for start in range(0, len(bought), _BATCH):
        insert = insert_into(session, SupplierStock).values(
            [
                {
                    "supplier_product_id": product_id,
                    "feed_id": record.id,
                    "quantity": item.quantity,
                    "as_of": item.as_of,
                    "imported_at": now,
                }
                for product_id, item in bought[start : start + _BATCH]
            ]
        )
        newer = insert.on_conflict_do_update(
            index_elements=["supplier_product_id"],
            set_={name: insert.excluded[name] for name in ("feed_id", "quantity", "as_of", "imported_at")},
            where=insert.excluded.as_of > SupplierStock.as_of,
        )
        applied += len(session.scalars(newer.returning(SupplierStock.id)).all())
    return applied
