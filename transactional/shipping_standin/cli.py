"""`python -m transactional shiprocket-standin`: the stand-in as a process."""

import argparse
import signal
import sys
import threading

from transactional.commands import CommandError
from transactional.settings import Settings, get_settings
from transactional.shipping_standin.carrier import Carrier
from transactional.shipping_standin.config import Account
from transactional.shipping_standin.server import running


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8020, help="port to listen on, 0 for a free one (default: 8020)")
    parser.add_argument("--seed", type=int, default=1, help="seed of ids and oddities (default: 1)")
    parser.add_argument("--webhook-url", help="where to send scans (default: nowhere)")
    parser.add_argument(
        "--pace", type=float, metavar="SECONDS", help="move every parcel a step this often (default: only when told)"
    )


def run(args: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM. Raises CommandError when the port is taken or the webhook has no token."""
    settings = get_settings()
    carrier = Carrier(account_of(settings, seed=args.seed))
    if args.webhook_url:
        _set_receiver(carrier, args.webhook_url, settings)
    stop = threading.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, lambda *_: stop.set())
    try:
        with running(carrier, host=args.host, port=args.port, pace_seconds=args.pace) as server:
            sys.stdout.write(f"Shiprocket stand-in on {server.api_url}, control API under {server.url}/_control/\n")
            sys.stdout.flush()
            stop.wait()
    except OSError as error:
        raise CommandError(f"cannot listen on {args.host}:{args.port}: {error.strerror}") from error
    return 0


def account_of(settings: Settings, *, seed: int = 1) -> Account:
    """The account that the shop's settings name, so that both sides agree; the well-known one where they name none."""
    known = Account()
    return Account(
        email=settings.shiprocket_email or known.email,
        password=settings.shiprocket_password.get_secret_value() or known.password,
        pickup_location=settings.pickup_location,
        pickup_postcode=settings.pickup_postal_code,
        seed=seed,
    )


def _set_receiver(carrier: Carrier, url: str, settings: Settings) -> None:
    token = settings.parcel_webhook_token.get_secret_value()
    if not token:
        raise CommandError("--webhook-url needs a token in MLT_PARCEL_WEBHOOK_TOKEN")
    try:
        carrier.webhooks.set_receiver(url, token)
    except ValueError as error:
        raise CommandError(str(error)) from error
