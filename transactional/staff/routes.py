"""Staff and roles over HTTP."""

from fastapi import APIRouter

router = APIRouter(prefix="/v1/staff", tags=["staff"])
