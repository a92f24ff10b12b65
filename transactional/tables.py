"""Every mapped table, imported once, so that the metadata is whole for migrations, triggers and contracts."""

from transactional.accounts import models as accounts
from transactional.affiliates import models as affiliates
from transactional.behaviour import models as behaviour
from transactional.cart import models as cart
from transactional.catalog import models as catalog
from transactional.core import journal
from transactional.core import models as core
from transactional.core.db import Base
from transactional.documents import models as documents
from transactional.importing import models as importing
from transactional.inventory import models as inventory
from transactional.loyalty import models as loyalty
from transactional.orders import change_models as order_changes
from transactional.orders import models as orders
from transactional.payments import models as payments
from transactional.promotions import models as promotions
from transactional.returns import models as returns
from transactional.reviews import models as reviews
from transactional.shipping import models as shipping
from transactional.staff import models as staff
from transactional.suppliers import models as suppliers
from transactional.tickets import models as tickets

__all__ = [
    "accounts",
    "affiliates",
    "behaviour",
    "cart",
    "catalog",
    "core",
    "documents",
    "importing",
    "inventory",
    "journal",
    "loyalty",
    "metadata",
    "order_changes",
    "orders",
    "payments",
    "promotions",
    "returns",
    "reviews",
    "shipping",
    "staff",
    "suppliers",
    "tickets",
]

metadata = Base.metadata
