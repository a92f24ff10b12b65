"""The routers of every domain, in the order in which the API document shows them."""

from fastapi import APIRouter

from transactional.accounts.routes import router as accounts
from transactional.operations import router as operations
from transactional.staff.routes import router as staff

ROUTERS: tuple[APIRouter, ...] = (
    operations,
    accounts,
    staff,
)
