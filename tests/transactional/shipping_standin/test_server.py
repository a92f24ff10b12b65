"""Shop and carrier as two servers on real sockets: steps, webhooks and questions travel over HTTP both ways."""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from argparse import ArgumentParser, Namespace
from pathlib import Path

import httpx
import pytest
import uvicorn
from pydantic import SecretStr

from tests.support.trade import TradeKit
from tests.support.web import settings_in
from tests.transactional.shipping.depot import TOKEN, carrier_settings, open_depot
from transactional import wiring
from transactional.app import create_app
from transactional.commands import CommandError
from transactional.core.clock import ManualClock
from transactional.settings import Settings
from transactional.shipping import provider
from transactional.shipping.service import carrier_in_use
from transactional.shipping_standin import cli
from transactional.shipping_standin.server import running
from transactional.shipping_standin.webhooks import DeliveryState


@pytest.mark.slow
def test_a_parcel_between_two_servers(kit: TradeKit, clock: ManualClock, tmp_path: Path) -> None:
    wiring.wire()
    depot = open_depot(kit, clock)
    settings = settings_in(tmp_path).model_copy(update={"parcel_webhook_token": SecretStr(TOKEN)})
    shop = uvicorn.Server(
        uvicorn.Config(create_app(settings, kit.database), port=0, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=shop.run, daemon=True)
    thread.start()
    while not shop.started:
        thread.join(0.01)
    hooks = f"http://127.0.0.1:{shop.servers[0].sockets[0].getsockname()[1]}/v1/hooks/parcels"
    with running(depot.standin) as server, httpx.Client(base_url=f"{server.url}/_control", trust_env=False) as control:
        account = carrier_settings(depot.standin).model_copy(update={"shiprocket_base_url": server.api_url})
        with carrier_in_use(provider.build(account, kit.database)):
            assert control.put("/webhook", json={"url": hooks, "token": TOKEN}).status_code == 204
            control.post("/faults", json={"fault": "html_502", "method": "GET", "path_part": "/settings"})
            parcel_id = depot.send()
            awb = depot.parcel(parcel_id).tracking_number
            clock.advance(_later())
            moved = control.post(f"/parcels/{awb}/advance", json={"steps": 20}).json()
            assert (moved["code"], moved["status"]) == (7, 7)
            _wait_until_sent(depot.standin, thread)
            depot.work()
            assert depot.status(parcel_id) == "delivered"
            assert depot.order_of(parcel_id).status == "delivered"
    shop.should_exit = True
    thread.join()


def _later() -> object:
    from datetime import timedelta

    return timedelta(hours=2)


def _wait_until_sent(standin: object, thread: threading.Thread) -> None:
    for _ in range(2_000):
        if all(each.state is DeliveryState.SENT for each in standin.webhooks.listing()):  # type: ignore[attr-defined]
            return
        thread.join(0.01)
    raise AssertionError("the webhooks were not delivered")


@pytest.mark.slow
def test_the_control_api(kit: TradeKit, clock: ManualClock) -> None:
    wiring.wire()
    depot = open_depot(kit, clock)
    with depot.in_use():
        parcel_id = depot.send()
    awb = depot.parcel(parcel_id).tracking_number
    with running(depot.standin) as server, httpx.Client(base_url=f"{server.url}/_control", trust_env=False) as control:
        assert control.get("/health").json()["log_ins"] == 1
        assert control.patch("/switches", json={"awb": "fails"}).json() == {"awb": "fails"}
        assert control.patch("/switches", json={"nix": 1}).status_code == 409
        assert control.put(f"/parcels/{awb}/script", json={"script": "rto"}).status_code == 200
        assert control.put(f"/parcels/{awb}/script", json={"script": "nix"}).status_code == 409
        assert control.post("/parcels/0/advance", json={}).status_code == 404
        scan = {"code": "42", "order_status": 51, "at": "2026-01-15T12:00:00+00:00"}
        assert control.post(f"/parcels/{awb}/scans", json=scan).json()["code"] == 42
        assert control.post("/clock/advance", json={"hours": 24}).json()["now"] == "2026-01-16T10:00:00+00:00"
        assert control.put("/wallet", json={"paise": -5}).status_code == 204
        assert control.post("/tokens/expire").status_code == 204
        (order,) = control.get("/orders").json()
        assert (order["awb"], order["cancelled"]) == (awb, False)
        assert control.post(f"/orders/{order['order_id']}/complete-cancellation").status_code == 409
        assert control.put("/webhook", json={"url": "http://x/kr", "token": "t"}).status_code == 409
        assert control.post("/webhook/hold").status_code == 204
        assert control.post("/webhook/emit", json={"awb": "unknown"}).status_code == 204
        assert control.get("/webhook/deliveries").json()[-1]["state"] == "held"
        assert control.post("/webhook/drop", json={"numbers": [1]}).status_code == 204
        assert control.post("/webhook/deliveries/9/replay", json={}).status_code == 404
        paths = [request["path"] for request in control.get("/requests").json()]
        assert "/v1/external/orders/create/adhoc" in paths


def parsed(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    cli.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.slow
def test_it_serves_until_told_to_stop() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "transactional", "shiprocket-standin", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "MLT_SHIPROCKET_EMAIL": "other@shop.example"},
    )
    try:
        assert process.stdout is not None
        url = re.search(r"control API under (http://\S+/_control)/", process.stdout.readline())
        assert url is not None
        with httpx.Client(trust_env=False) as http:
            assert http.get(f"{url[1]}/health", timeout=10).json()["email"] == "other@shop.example"
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0


def test_bad_options_are_clear_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(CommandError, match=f"cannot listen on 127.0.0.1:{port}"):
            cli.run(parsed("--port", str(port)))
    monkeypatch.setattr(cli, "get_settings", lambda: Settings(parcel_webhook_token=SecretStr("")))
    with pytest.raises(CommandError, match="MLT_PARCEL_WEBHOOK_TOKEN"):
        cli.run(parsed("--webhook-url", "http://127.0.0.1:8000/v1/hooks/parcels"))
    monkeypatch.setattr(cli, "get_settings", lambda: Settings(parcel_webhook_token=SecretStr("t")))
    with pytest.raises(CommandError, match="must not contain"):
        cli.run(parsed("--webhook-url", "http://127.0.0.1:8000/hooks/shiprocket"))
