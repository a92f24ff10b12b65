"""The category tree."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from transactional.catalog.models import Category, Product
from transactional.catalog.slugs import slugify
from transactional.core.errors import Conflict, InvalidInput, NotFound


def create_category(
    session: Session, *, name: str, parent_id: int | None = None, slug: str | None = None, position: int = 0
) -> Category:
    """Add a node below `parent_id`, or a root.

    Raises NotFound for an unknown parent, InvalidInput for a name without letters, Conflict for a slug in use.
    """
    if parent_id is not None:
        get_category(session, parent_id)
    address = slug or slugify(name, limit=80)
    if not address:
        raise InvalidInput("a category needs a name with letters or digits", field="name")
    category = Category(parent_id=parent_id, slug=address, name=name.strip(), position=position)
    try:
        with session.begin_nested():
            session.add(category)
    except IntegrityError as error:
        raise Conflict(f"a category with the slug {address!r} exists already", slug=address) from error
    return category


def get_category(session: Session, category_id: int) -> Category:
    """The category; NotFound otherwise."""
    category = session.get(Category, category_id)
    if category is None:
        raise NotFound(f"no category {category_id}")
    return category


def list_categories(session: Session) -> Sequence[Category]:
    """All nodes, in display order below their parents."""
    return session.scalars(select(Category).order_by(Category.position, Category.name, Category.id)).all()


def move_category(session: Session, *, category_id: int, parent_id: int | None) -> Category:
    """Hang a category, with all that is below it, under another parent (None: make it a root).

    Raises NotFound for unknown ids and Conflict when the new parent lies below the category itself.
    """
    _lock_tree(session)
    category = get_category(session, category_id)
    if parent_id is not None:
        get_category(session, parent_id)
        if parent_id in descendant_ids(session, category_id):
            raise Conflict(f"category {parent_id} lies below category {category_id}: the tree would become a cycle")
    category.parent_id = parent_id
    session.flush()
    return category


def descendant_ids(session: Session, category_id: int) -> set[int]:
    """The ids of a category and of everything below it; empty for an unknown one."""
    below = select(Category.id).where(Category.id == category_id).cte("below", recursive=True)
    below = below.union(select(Category.id).join(below, Category.parent_id == below.c.id))
    return set(session.scalars(select(below.c.id)))


def categories_of_products(session: Session, product_ids: Collection[int]) -> dict[int, int]:
    """The category of each of the products, by product."""
    rows = session.execute(select(Product.id, Product.category_id).where(Product.id.in_(product_ids)))
    return {row.id: row.category_id for row in rows}


def category_ancestors(session: Session) -> dict[int, frozenset[int]]:
    """Every category with itself and all that it lies below, by id."""
    parents = {row.id: row.parent_id for row in session.execute(select(Category.id, Category.parent_id))}
    return {category_id: frozenset(_upwards(category_id, parents)) for category_id in parents}


def _upwards(category_id: int, parents: Mapping[int, int | None]) -> Iterator[int]:
    at: int | None = category_id
    while at is not None:
        yield at
        at = parents.get(at)


def _lock_tree(session: Session) -> None:
    # Two moves that are each harmless can make a cycle together; the tree is small enough to lock whole.
    session.execute(select(Category.id).order_by(Category.id).with_for_update(key_share=True)).all()
