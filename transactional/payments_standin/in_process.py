"""The real client library on a stand-in in the same process: no sockets, thousands of calls a second."""

from collections.abc import Sequence

from pydantic import SecretStr

from transactional.payments.service import RazorpayGateway
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.transport import InProcessAdapter
from transactional.settings import WebhookSecret

_BASE_URL = "http://razorpay.local"


def connect(
    gateway: Gateway, *, webhook_secrets: Sequence[SecretStr] = (), name: str = RazorpayGateway.name
) -> RazorpayGateway:
    """The shop's adapter, its client's transport replaced by the stand-in itself; credentials are the stand-in's.

    Another `name` keeps its payments apart from those of the shop's real account.
    """
    return RazorpayGateway(
        name=name,
        key_id=gateway.config.key_id,
        key_secret=SecretStr(gateway.config.key_secret),
        webhook_secrets=[WebhookSecret(secret=secret) for secret in webhook_secrets],
        base_url=_BASE_URL,
        adapter=lambda: InProcessAdapter(gateway),
    )
