"""The HTTP client: what is tried again, what is not, and what an error says about what was done."""

import socket
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from tests.support.trade import settings
from transactional.core.uow import Database
from transactional.shipping import jobs, provider
from transactional.shipping.api import CarrierApi
from transactional.shipping.carrier import Absent, CarrierError, Refused, Unavailable, Unknown


class Wire:
    """Answers that are given one after the other; log-ins always succeed."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.pauses: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/login"):
            return httpx.Response(200, json={"token": "t"})
        self.asked.append(request.method)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def api(self, database: Database) -> CarrierApi:
        return CarrierApi(
            database,
            base_url="http://carrier/v1/external/",
            email="api@shop.example",
            password=SecretStr("secret"),
            transport=httpx.MockTransport(self),
            pause=self.pauses.append,
        )


def answer(status: int, content: Any = None) -> httpx.Response:
    return httpx.Response(status, json=content) if content is not None else httpx.Response(status)


def test_reading_is_tried_again_with_growing_pauses(database: Database) -> None:
    wire = Wire(answer(502), answer(429, {}), httpx.ReadTimeout("slow"), answer(200, {"data": []}))
    assert wire.api(database).get("/orders") == {"data": []}
    assert len(wire.pauses) == 3
    assert 0.125 <= wire.pauses[0] <= 0.375
    assert 0.5 <= wire.pauses[2] <= 1.5


def test_reading_gives_up_in_the_end(database: Database) -> None:
    wire = Wire(*[answer(500, {"message": "Trying to get property of non-object"})] * 4)
    with pytest.raises(Unavailable, match="non-object"):
        wire.api(database).get("/orders")
    assert wire.asked == ["GET"] * 4


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (httpx.ReadTimeout("slow"), Unknown),
        (httpx.RemoteProtocolError("cut"), Unknown),
        (httpx.ConnectError("refused"), Unavailable),
        (answer(502), Unknown),
        (httpx.Response(200, text="<html>"), Unknown),
        (answer(429, {"message": "Too Many Attempts."}), Unavailable),
        (answer(404, {"message": "404 Not Found"}), Absent),
        (answer(200, {"status": 404, "message": "Order does not exist!"}), Absent),
        (answer(200, {"status": "422", "message": "Oops!"}), Refused),
        (answer(400, {"message": "Invalid shipment id"}), Refused),
        (answer(403), Refused),
        (answer(422, {"message": "Oops! Invalid Data.", "errors": {"weight": ["too light"]}}), Refused),
        (answer(422, {"message": ["odd"], "errors": {"weight": "odd"}}), Refused),
    ],
)
def test_writing_is_never_tried_again_and_says_what_is_known(
    database: Database, given: httpx.Response | Exception, error: type[CarrierError]
) -> None:
    wire = Wire(given)
    with pytest.raises(CarrierError) as caught:
        wire.api(database).post("/orders/create/adhoc", {})
    assert type(caught.value) is error
    assert wire.asked == ["POST"]
    assert wire.pauses == []


def test_a_refusal_names_the_field(database: Database) -> None:
    wire = Wire(answer(422, {"message": "Oops! Invalid Data.", "errors": {"weight": ["too light"]}}))
    with pytest.raises(Refused, match=r"Oops! Invalid Data. weight: too light \(422\)"):
        wire.api(database).post("/orders/create/adhoc", {})


def test_empty_bodies_are_empty_answers(database: Database) -> None:
    wire = Wire(answer(204), answer(202), httpx.Response(200, text=" \n"))
    api = wire.api(database)
    assert [api.post("/orders/cancel", {}) for _ in range(3)] == [{}, {}, {}]


def test_a_carrier_that_is_not_there(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    account = settings(
        shiprocket_base_url=f"http://127.0.0.1:{port}",
        shiprocket_email="api@shop.example",
        shiprocket_password=SecretStr("moonlight"),
    )
    carrier = provider.build(account, database, pause=lambda _: None)
    with pytest.raises(Unavailable, match="cannot be reached: ConnectError"):
        carrier.find("1")
    assert "moonlight" not in repr(account)


def test_without_credentials_there_is_no_carrier(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provider, "get_settings", settings)
    monkeypatch.setattr(provider, "_built", None)
    assert provider.current_carrier(database) is None
    assert provider.carrier_name(settings()) == "own"
    for message in (jobs.advance, jobs.confirm, jobs.instruct):
        message(database, {"shipment_id": 1})
    for job in (jobs.poll_parcels, jobs.resume_parcels, jobs.call_off_duplicates, jobs.note_discrepancies):
        job(database)
    account = settings(shiprocket_email="api@shop.example", shiprocket_password=SecretStr("x"))
    assert provider.carrier_name(account) == "shiprocket"
    monkeypatch.setattr(provider, "get_settings", lambda: account)
    built = provider.current_carrier(database)
    assert built is not None
    assert provider.current_carrier(database) is built
