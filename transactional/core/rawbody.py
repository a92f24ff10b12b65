"""The body of a webhook as it came: signatures and tokens prove bytes, not what a parser makes of them."""

from typing import Annotated

from fastapi import Depends, Request

from transactional.core.errors import ShopError

MAX_WEBHOOK_BYTES = 1024 * 1024


class TooLarge(ShopError):
    """A webhook of more than a mebibyte."""

    status = 413
    code = "content-too-large"
    title = "The body is too large"


async def raw_body(request: Request) -> bytes:
    """The bytes as they came; at most a mebibyte of them is ever held. Raises TooLarge."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_WEBHOOK_BYTES:
            raise TooLarge(f"a webhook has at most {MAX_WEBHOOK_BYTES} bytes")
    return bytes(body)


RawBody = Annotated[bytes, Depends(raw_body)]
