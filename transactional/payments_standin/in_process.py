"""The real client library on a stand-in in the same process: no sockets, thousands of calls a second."""

from collections.abc import Sequence

from pydantic import SecretStr

from transactional.payments.service import RazorpayGateway
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.transport import InProcessAdapter

_BASE_URL = "http://razorpay.local"


def connect(gateway: Gateway, *, webhook_secrets: Sequence[SecretStr] = ()) -> RazorpayGateway:
    """The shop's adapter, its client's transport replaced by the stand-in itself; credentials are the stand-in's."""
    return RazorpayGateway(
        key_id=gateway.config.key_id,
        key_secret=SecretStr(gateway.config.key_secret),
        webhook_secrets=webhook_secrets,
        base_url=_BASE_URL,
        adapter=lambda: InProcessAdapter(gateway),
    )
