"""The stand-in without sockets: a transport for `httpx`, so that the real client reaches it in-process."""

import httpx

from transactional.shipping_standin.carrier import AnswerLost, ApiRequest, Carrier


class InProcessTransport(httpx.BaseTransport):
    """Give it to the client; nothing else of the client changes."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer at once; a lost answer becomes a read time-out, as it does on a network."""
        translated = ApiRequest(
            method=request.method,
            path=request.url.path,
            query=dict(request.url.params),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=request.read(),
        )
        try:
            answer = self._carrier.handle(translated)
        except AnswerLost as lost:
            raise httpx.ReadTimeout("the answer got lost", request=request) from lost
        return httpx.Response(
            answer.status, headers={"Content-Type": answer.content_type}, content=answer.body, request=request
        )
