"""The routers of every domain, in the order in which the API document shows them."""

from fastapi import APIRouter

from transactional.accounts.routes import router as accounts
from transactional.behaviour.routes import router as behaviour
from transactional.catalog.routes import router as catalog
from transactional.operations import router as operations
from transactional.reviews.routes import router as reviews
from transactional.staff.routes import router as staff
from transactional.tickets.routes import router as tickets

ROUTERS: tuple[APIRouter, ...] = (
    operations,
    accounts,
    behaviour,
    catalog,
    reviews,
    tickets,
    staff,
)
