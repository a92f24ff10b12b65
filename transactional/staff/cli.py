"""The operator's commands about super admins, who are made and unmade nowhere else."""

import argparse
import getpass
import os
import sys
from datetime import datetime

from sqlalchemy.orm import Session

from transactional.accounts import service as accounts
from transactional.commands import CommandError, open_database, say
from transactional.core.errors import NotFound, ShopError
from transactional.core.security import PasswordHasher
from transactional.staff import service


def add_create_arguments(parser: argparse.ArgumentParser) -> None:
    """What `create-admin` takes."""
    parser.add_argument("--email", required=True, help="the account; made if it does not exist")
    parser.add_argument("--name", default="Shop admin", help="full name of a new account")
    password = parser.add_mutually_exclusive_group()
    password.add_argument("--password", help="password of a new account (visible to others on this machine)")
    password.add_argument("--password-env", metavar="VARIABLE", help="environment variable that holds the password")


def run_create(args: argparse.Namespace) -> int:
    """Make an account a super admin; a new account needs a password, an existing one keeps its own."""
    database = open_database()
    try:
        with database.read() as session:
            exists = accounts.user_by_email(session, args.email) is not None
        password_hash = None if exists else _hash_new_password(args)
        database.run(lambda session: _create(session, args, password_hash, database.clock.now()), actor="command-line")
    except ShopError as error:
        raise CommandError(error.detail) from error
    say(f"{args.email} is a super admin" + (" (the account existed and keeps its password)" if exists else ""))
    return 0


def _create(session: Session, args: argparse.Namespace, password_hash: str | None, now: datetime) -> None:
    user = accounts.user_by_email(session, args.email)
    if user is None:
        assert password_hash is not None
        user = accounts.create_user(
            session, email=args.email, password_hash=password_hash, full_name=args.name, now=now
        )
    service.make_super_admin(session, user_id=user.id, now=now)


def _hash_new_password(args: argparse.Namespace) -> str:
    password = _read_password(args)
    accounts.check_password_rules(password, email_key=accounts.normalise_email(args.email))
    return PasswordHasher().hash(password)


def _read_password(args: argparse.Namespace) -> str:
    if args.password is not None:
        return str(args.password)
    if args.password_env is not None:
        if args.password_env not in os.environ:
            raise CommandError(f"the environment variable {args.password_env} is not set")
        return os.environ[args.password_env]
    if sys.stdin.isatty():
        return getpass.getpass(f"Password for {args.email}: ")
    raise CommandError("a new account needs --password-env VARIABLE or --password")


def add_remove_arguments(parser: argparse.ArgumentParser) -> None:
    """What `remove-admin` takes."""
    parser.add_argument("--email", required=True, help="the account that shall no longer be a super admin")


def run_remove(args: argparse.Namespace) -> int:
    """Take the super admin role; the last one stays."""

    def work(session: Session) -> None:
        user = accounts.user_by_email(session, args.email)
        if user is None:
            raise NotFound(f"no account {args.email}")
        service.remove_super_admin(session, user_id=user.id)

    try:
        open_database().run(work, actor="command-line")
    except ShopError as error:
        raise CommandError(error.detail) from error
    say(f"{args.email} is no longer a super admin")
    return 0
