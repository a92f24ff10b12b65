"""The stand-in without sockets: an adapter for `requests`, so that the real client library reaches it in-process."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.models import PreparedRequest
from requests.structures import CaseInsensitiveDict

from transactional.payments_standin.gateway import AnswerLost, Gateway
from transactional.payments_standin.wire import ApiRequest, request_of


class InProcessAdapter(BaseAdapter):
    """Mount it on a session for the client's base URL; nothing else of the client changes."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__()
        self._gateway = gateway

    def send(  # noqa: PLR0917  the signature is the library's
        self,
        request: PreparedRequest,
        stream: bool = False,  # noqa: ARG002  the signature is the library's
        timeout: object = None,  # noqa: ARG002
        verify: object = True,  # noqa: ARG002
        cert: object = None,  # noqa: ARG002
        proxies: Mapping[str, str] | None = None,  # noqa: ARG002
    ) -> requests.Response:
        """Answer at once; a lost answer becomes a read time-out, as it does on a network."""
        try:
            answer = self._gateway.handle(_translate(request))
        except AnswerLost as lost:
            raise requests.exceptions.ReadTimeout(request=request) from lost
        response = requests.Response()
        response.status_code = answer.status
        response.headers = CaseInsensitiveDict({"Content-Type": answer.content_type})
        response.encoding = "utf-8"
        response._content = answer.body
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """Nothing is open."""


def _translate(request: PreparedRequest) -> ApiRequest:
    url = urlsplit(request.url or "")
    body = request.body or b""
    if not isinstance(body, str | bytes):
        raise TypeError("only whole bodies reach the stand-in")
    return request_of(
        request.method or "GET",
        url.path,
        parse_qsl(url.query, keep_blank_values=True),
        ((name, str(value)) for name, value in request.headers.items()),
        body.encode() if isinstance(body, str) else body,
    )
