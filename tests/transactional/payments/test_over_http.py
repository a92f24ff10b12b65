"""Shop and gateway as two servers on real sockets: payment, webhooks and refund travel over HTTP both ways."""

import threading
from pathlib import Path

import pytest
import requests
import uvicorn
from pydantic import SecretStr

from tests.support.web import log_in, make_client, settings_in
from tests.transactional.payments.till import SECRET, Till
from transactional.app import create_app
from transactional.payments import service
from transactional.payments.models import PaymentStatus
from transactional.payments.razorpay import RazorpayGateway
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.deliveries import DeliveryState, http_sender
from transactional.payments_standin.server import running
from transactional.settings import WebhookSecret


@pytest.mark.slow
def test_a_purchase_and_a_refund_between_two_servers(till: Till, tmp_path: Path) -> None:
    headers = log_in(make_client(till.database, tmp_path))
    shop = uvicorn.Server(
        uvicorn.Config(create_app(settings_in(tmp_path), till.database), port=0, log_level="critical", lifespan="off")
    )
    thread = threading.Thread(target=shop.run, daemon=True)
    thread.start()
    while not shop.started:
        thread.join(0.01)
    url = f"http://127.0.0.1:{shop.servers[0].sockets[0].getsockname()[1]}"
    delivered = threading.Event()

    def send(_url: str, body: bytes, headers: dict[str, str]) -> int:
        status = http_sender(StandInConfig())(f"{url}/v1/webhooks/razorpay", body, headers)
        if all(d.state is DeliveryState.DELIVERED for d in till.standin.deliveries.listing()[:-1]):
            delivered.set()
        return status

    till.standin.deliveries.set_sender(send)
    with running(till.standin) as server, requests.Session() as http:
        http.trust_env = False
        gateway = RazorpayGateway(
            key_id=till.standin.config.key_id,
            key_secret=SecretStr(till.standin.config.key_secret),
            webhook_secrets=[WebhookSecret(secret=SecretStr(SECRET))],
            base_url=server.url,
        )
        with service.gateway_in_use(gateway):
            order_id = till.place()
            path = f"{url}/v1/orders/{till.order(order_id).order_number}/payments"
            started = http.post(path, headers={**headers, "Idempotency-Key": "k" * 36}, timeout=10)
            assert started.status_code == 201, started.text
            paid = http.post(
                f"{server.url}/_control/orders/{started.json()['gateway_order_id']}/pay",
                json={"outcome": "captured", "method": "netbanking"},
                timeout=10,
            )
            # The browser is closed before it can report: only the webhooks tell.
            assert paid.status_code == 200
            assert delivered.wait(20)
            till.work()
            assert till.order(order_id).status == "paid"
            till.refund(order_id, till.order(order_id).total_minor, "all of it")
            till.work()
            assert till.payments(order_id)[0].status is PaymentStatus.REFUNDED
    shop.should_exit = True
    thread.join()
    till.check_books()
