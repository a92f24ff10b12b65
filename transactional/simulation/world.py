"""The shop before its first customer: its profile, staff, catalogue, stock, points, offers and partners."""

from datetime import datetime
from random import Random

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.catalog import service as catalog
from transactional.catalog.service import InventoryPolicy
from transactional.core.access import Actor
from transactional.core.profile import ensure_profile
from transactional.core.security import PasswordHasher
from transactional.inventory import service as inventory
from transactional.settings import Settings
from transactional.shipping import service as shipping
from transactional.simulation import carriage, inviting, offers, partners, procurement, rewards
from transactional.simulation.feasts import Feast
from transactional.simulation.gifts import CATEGORIES, GIFTS, HAMPERS, OCCASIONS, Gift
from transactional.simulation.places import PLACES
from transactional.simulation.shelf import Shelf
from transactional.staff import service as staff

ADMIN_EMAIL = "admin@mylittlethings.example"
ANALYST_EMAIL = "analyst@mylittlethings.example"
_SHELF = 14


def found(
    session: Session,
    *,
    settings: Settings,
    now: datetime,
    end: datetime,
    feasts: list[Feast],
    password: str,
    rng: Random,
) -> Shelf:
    """Open the shop. The staff's passwords are hashed as strongly as everybody's."""
    ensure_profile(session, settings, now=now)
    admin_user_id, staff_user_id = _hire(session, password, now)
    for key, name in OCCASIONS.items():
        catalog.create_occasion(session, key=key, name=name)
    categories = {name: catalog.create_category(session, name=name, position=i).id for i, name in enumerate(CATEGORIES)}
    location_id = inventory.default_location(session).id
    variants, products = {}, {}
    for gift in GIFTS:
        products[gift.sku] = _list(session, gift, categories[gift.category], settings.base_currency, now)
        variants[gift.sku] = catalog.default_variant(session, products[gift.sku]).id
        if gift.sku not in HAMPERS:
            inventory.receive(
                session,
                variant_id=variants[gift.sku],
                location_id=location_id,
                quantity=rng.randint(1, 3) if gift.made_to_order else _SHELF + rng.randint(0, 12),
                reason="opening stock",
                now=now,
            )
    _put_hampers_together(session, variants)
    procurement.sign_contracts(
        session, variants=variants, location_id=location_id, currency=settings.base_currency, rng=rng, now=now
    )
    carriage.write_rules(session, now)
    rewards.found(session, categories=categories, feasts=feasts, now=now, end=end)
    inviting.found(session, now=now)
    calendar = offers.announce(session, categories=categories, feasts=feasts, now=now, end=end)
    return Shelf(
        variants=variants,
        products=products,
        categories=categories,
        weights={gift.sku: gift.weight_grams for gift in GIFTS},
        made_to_order=frozenset(gift.sku for gift in GIFTS if gift.made_to_order),
        zones={
            place.postal_code: shipping.zone_of(session, postal_code=place.postal_code, country="IN")
            for place in PLACES
        },
        location_id=location_id,
        staff_user_id=staff_user_id,
        admin_user_id=admin_user_id,
        coupons=calendar.coupons,
        temptation=calendar.temptation,
        circle=partners.found(session, categories=categories, now=now),
    )


def _list(session: Session, gift: Gift, category_id: int, currency: str, now: datetime) -> int:
    """Put a gift into the catalogue; gives its product's id."""
    return catalog.create_product(
        session,
        name=gift.name,
        description=f"{gift.name}. For {', '.join(OCCASIONS[o] for o in gift.occasions)}.",
        category_id=category_id,
        sku=gift.sku,
        price_minor=gift.price * 100,
        currency=currency,
        occasions=gift.occasions,
        tax_rate_bp=gift.tax_rate_bp,
        hsn_code=gift.hsn_code,
        weight_grams=gift.weight_grams,
        is_customisable=gift.customisable,
        needs_approval=gift.needs_approval,
        inventory_policy=InventoryPolicy.BACKORDER if gift.made_to_order else InventoryPolicy.DENY,
        now=now,
    ).id


def _put_hampers_together(session: Session, variants: dict[str, int]) -> None:
    for sku, parts in HAMPERS.items():
        components = {variants[part]: units for part, units in parts.items()}
        inventory.set_components(session, bundle_variant_id=variants[sku], components=components)


def _hire(session: Session, password: str, now: datetime) -> tuple[int, int]:
    """A super admin, and an analyst with the rights of staff; gives their user ids."""
    hasher = PasswordHasher()
    staff.seed_roles(session)
    users = {}
    for email, name in ((ADMIN_EMAIL, "Shop admin"), (ANALYST_EMAIL, "Shop analyst")):
        accounts.check_password_rules(password, email_key=accounts.normalise_email(email))
        users[email] = accounts.create_user(
            session, email=email, password_hash=hasher.hash(password), full_name=name, now=now
        )
    staff.make_super_admin(session, user_id=users[ADMIN_EMAIL].id, now=now)
    _, permissions = staff.rights_of(session, user_id=users[ADMIN_EMAIL].id, is_customer=False, now=now)
    admin = Actor(user_id=users[ADMIN_EMAIL].id, permissions=permissions)
    staff.grant_role(session, actor=admin, user_id=users[ANALYST_EMAIL].id, role_key="staff", now=now)
    return users[ADMIN_EMAIL].id, users[ANALYST_EMAIL].id
