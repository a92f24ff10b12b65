"""The shop's command line: `python -m transactional COMMAND`. Exit code 2 means that the input was bad."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from sqlalchemy.exc import ArgumentError, OperationalError


@dataclass(frozen=True, slots=True)
class Command:
    """Where a command lives. Its module is imported only when the command is chosen, so help is quick."""

    help: str
    module: str
    arguments: str = "add_arguments"
    run: str = "run"


COMMANDS: dict[str, Command] = {
    "serve": Command("serve the API", "transactional.server", "add_serve_arguments", "run_serve"),
    "worker": Command("do the outbox and periodic jobs", "transactional.server", "add_worker_arguments", "run_worker"),
    "migrate": Command(
        "bring the database to the present schema", "transactional.server", "add_migrate_arguments", "run_migrate"
    ),
    "create-admin": Command("make a super admin", "transactional.staff.cli", "add_create_arguments", "run_create"),
    "remove-admin": Command("unmake a super admin", "transactional.staff.cli", "add_remove_arguments", "run_remove"),
    "verify-orders": Command("compare every order with its history", "transactional.orders.cli"),
    "import-online-retail": Command("import a shop's history", "transactional.importing.cli"),
    "simulate": Command("let the shop trade by itself", "transactional.simulation.cli"),
    "reconcile-payments": Command("compare the books with the payment gateway's", "transactional.payments.cli"),
    "supplier-feed": Command("take a supplier's stock feed in", "transactional.suppliers.cli"),
    "razorpay-standin": Command("serve the local payment gateway", "transactional.payments_standin.cli"),
    "shiprocket-standin": Command("serve the local parcel carrier", "transactional.shipping_standin.cli"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    parser = argparse.ArgumentParser(prog="python -m transactional", description="The shop.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help)
        if name == chosen:
            getattr(importlib.import_module(command.module), command.arguments)(sub)
    parsed = parser.parse_args(arguments)
    return _run(COMMANDS[parsed.command], parsed)


def _run(command: Command, parsed: argparse.Namespace) -> int:
    from transactional.commands import CommandError  # noqa: PLC0415  only a chosen command pays for the database layer

    try:
        return int(getattr(importlib.import_module(command.module), command.run)(parsed))
    except CommandError as error:
        return _refuse(str(error))
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        return _refuse(f"bad settings: {faults}")
    except ArgumentError as error:
        return _refuse(f"bad DATABASE_URL: {error}")
    except OperationalError as error:
        return _refuse(f"the database cannot be used: {error.orig}")
    except KeyboardInterrupt:
        return 130


def _refuse(message: str) -> int:
    print(f"error: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
