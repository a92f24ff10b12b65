"""Idempotency keys for requests."""

import uuid


def keyed(headers: dict[str, str] | None = None, key: str | None = None) -> dict[str, str]:
    """Headers with an idempotency key: a new one, or the given one again."""
    return {**(headers or {}), "Idempotency-Key": key or str(uuid.uuid4())}
