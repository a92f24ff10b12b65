"""The thin HTTP layer over the gateway: its API under `/v1/`, the control API under `/_control/`."""

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool

from transactional.payments_standin.control import control_router
from transactional.payments_standin.gateway import AnswerLost, Gateway
from transactional.payments_standin.wire import request_of

_LOST = b"<html><body><h1>504 Gateway Time-out</h1></body></html>"
_METHODS = ["GET", "POST", "PATCH", "PUT", "DELETE"]


def create_app(gateway: Gateway) -> FastAPI:
    """The stand-in as an ASGI application."""
    app = FastAPI(title="Razorpay stand-in", docs_url=None, redoc_url=None)
    app.include_router(control_router(gateway))

    @app.api_route("/{path:path}", methods=_METHODS, include_in_schema=False)
    async def api(request: Request) -> Response:
        translated = request_of(
            request.method,
            request.url.path,
            request.query_params.multi_items(),
            request.headers.items(),
            await request.body(),
        )
        try:
            answer = await run_in_threadpool(gateway.handle, translated)
        except AnswerLost:
            return Response(_LOST, status_code=504, media_type="text/html")
        return Response(answer.body, status_code=answer.status, media_type=answer.content_type)

    return app
