"""The roles that every shop starts with, and what a role means in permission keys."""

from transactional.core.permissions import PERMISSIONS, expand

CUSTOMER = "customer"
STAFF = "staff"
MANAGER = "manager"
SUPER_ADMIN = "super_admin"
SERVICE = "service"

_MANAGED = (
    "catalog",
    "orders",
    "inventory",
    "suppliers",
    "procurement",
    "payments",
    "refunds",
    "promotions",
    "affiliates",
    "points",
    "points_adjust",
    "tickets",
    "reviews",
    "customers",
    "staff",
    "recommendations",
    "shipping",
)

SEEDS: dict[str, tuple[str, frozenset[str]]] = {
    CUSTOMER: ("Customer", frozenset()),
    STAFF: (
        "Staff",
        frozenset(
            {
                "read_catalog",
                "write_orders",
                "write_inventory",
                "read_suppliers",
                "write_procurement",
                "read_payments",
                "read_refunds",
                "read_promotions",
                "read_affiliates",
                "read_points",
                "write_tickets",
                "write_reviews",
                "read_customers",
                "read_analytics",
                "read_recommendations",
                "read_shipping",
            }
        ),
    ),
    MANAGER: ("Manager", frozenset({f"write_{resource}" for resource in _MANAGED} | {"read_analytics"})),
    SUPER_ADMIN: ("Super admin", PERMISSIONS),
    SERVICE: ("Service", frozenset({"read_catalog", "read_analytics", "write_recommendations"})),
}
"""Key → name and permissions. Seeded once; afterwards the rows are the shop's own."""

COMMAND_LINE_ONLY = frozenset({SUPER_ADMIN})
"""Given and taken by the operator's command, never over HTTP."""

DERIVED = frozenset({CUSTOMER})
"""Held by whoever has a customer record; never given or taken."""


def effective(role_key: str, stored: frozenset[str]) -> frozenset[str]:
    """What a role permits: its rows with what they imply; a super admin holds every key, also tomorrow's."""
    return PERMISSIONS if role_key == SUPER_ADMIN else expand(stored)
