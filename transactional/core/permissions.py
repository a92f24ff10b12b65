"""The vocabulary of permissions. Code names the keys; rows say which role holds which."""

RESOURCES = (
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
    "analytics",
    "recommendations",
    "shipping",
)

PERMISSIONS: frozenset[str] = frozenset(f"{verb}_{resource}" for resource in RESOURCES for verb in ("read", "write"))


def check_known(permission: str) -> str:
    """The key itself; ValueError for one that the code does not know."""
    if permission not in PERMISSIONS:
        raise ValueError(f"unknown permission {permission!r}; known are {', '.join(sorted(PERMISSIONS))}")
    return permission


def expand(permissions: frozenset[str]) -> frozenset[str]:
    """The known keys among these, with what they imply: whoever may write a resource may read it."""
    known = permissions & PERMISSIONS
    implied = {"read_" + key.removeprefix("write_") for key in known if key.startswith("write_")}
    return known | implied
