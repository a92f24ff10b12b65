"""Everything that registers itself at import: outbox handlers and periodic jobs. Import once a process."""

import importlib

MODULES = (
    "transactional.accounts.jobs",
    "transactional.affiliates.events",
    "transactional.core.mail",
    "transactional.core.housekeeping",
    "transactional.documents.events",
    "transactional.inventory.events",
    "transactional.inventory.jobs",
    "transactional.loyalty.jobs",
    "transactional.orders.events",
    "transactional.orders.jobs",
    "transactional.payments.jobs",
    "transactional.promotions.jobs",
    "transactional.shipping.events",
    "transactional.shipping.jobs",
    "transactional.suppliers.events",
    "transactional.suppliers.jobs",
)
"""One line a domain that has handlers or jobs."""


def wire() -> None:
    """Import them; safe to repeat."""
    for module in MODULES:
        importlib.import_module(module)
