"""`python -m transactional razorpay-standin`: the stand-in as a process."""

import argparse
import signal
import sys
import threading
from datetime import timedelta
from pathlib import Path

from transactional.commands import CommandError
from transactional.payments_standin.config import StandInConfig
from transactional.payments_standin.gateway import Gateway
from transactional.payments_standin.memory import Unreadable
from transactional.payments_standin.server import Keeper, running
from transactional.settings import get_settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8010, help="port to listen on, 0 for a free one (default: 8010)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the ids (default: 1)")
    parser.add_argument(
        "--webhook-url", help="where to send events, for example http://127.0.0.1:8000/v1/webhooks/razorpay"
    )
    parser.add_argument(
        "--books",
        type=Path,
        help="file in which orders and payments outlast a restart (default: none, all is forgotten)",
    )
    parser.add_argument(
        "--late-days",
        type=int,
        choices=[3, 5],
        default=3,
        help="how long a failed payment may still be authorised (default: %(default)s)",
    )
    parser.add_argument(
        "--refunds",
        choices=["processed", "pending"],
        default="processed",
        help="whether refunds are processed at once or wait for the control API (default: %(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. Raises CommandError when the port is taken or the webhook has no secret.

    Key and webhook secret are those of the shop's settings, so that both sides agree without further ado.
    """
    settings = get_settings()
    config = StandInConfig(
        key_id=settings.razorpay_key_id,
        key_secret=settings.razorpay_key_secret.get_secret_value(),
        seed=args.seed,
        refund_outcome=args.refunds,
        late_window=timedelta(days=args.late_days),
    )
    gateway = Gateway(config)
    if args.webhook_url:
        if not settings.razorpay_webhook_secrets:
            raise CommandError("--webhook-url needs a secret in MLT_RAZORPAY_WEBHOOK_SECRETS")
        gateway.deliveries.set_webhook(args.webhook_url, settings.razorpay_webhook_secrets[0].secret.get_secret_value())
    keeper = _keeper(gateway, args.books)
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    try:
        with running(gateway, host=args.host, port=args.port, keeper=keeper) as server:
            sys.stdout.write(f"Razorpay stand-in on {server.url}, control API under {server.url}/_control/\n")
            sys.stdout.flush()
            stop.wait()
    except OSError as error:
        raise CommandError(f"cannot listen on {args.host}:{args.port}: {error.strerror}") from error
    return 0


def _keeper(gateway: Gateway, path: Path | None) -> Keeper | None:
    if path is None:
        return None
    try:
        return Keeper(gateway, path)
    except (Unreadable, OSError) as error:
        raise CommandError(f"--books: {error}") from error
