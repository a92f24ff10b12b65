"""Registration, sessions, profile and address book over HTTP."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from transactional.accounts import addresses, registration, service, sessions
from transactional.accounts.schemas import (
    AddressOut,
    LogInIn,
    MeOut,
    PasswordChangeIn,
    ProfileIn,
    RefreshIn,
    RegistrationIn,
    RegistrationOut,
    SavedAddressIn,
    SessionOut,
    TokensOut,
)
from transactional.accounts.throttle import Throttle
from transactional.core.access import Actor, CurrentActor, authenticated, public
from transactional.core.deps import ClockDep, ReadSession, RequestId, ShopDep, WriteSession
from transactional.core.errors import NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses

router = APIRouter(prefix="/v1", tags=["accounts"])


@dataclass(frozen=True, slots=True)
class Client:
    """Which device asks, and in which request."""

    user_agent: str | None
    request_id: str | None


async def _client(
    request_id: RequestId,
    user_agent: Annotated[str | None, Header(alias="User-Agent", include_in_schema=False)] = None,
) -> Client:
    return Client(user_agent, request_id)


async def _keeper(shop: ShopDep) -> sessions.SessionKeeper:
    return sessions.SessionKeeper(
        database=shop.database,
        signer=shop.signer,
        hasher=shop.hasher,
        refresh_lifetime=timedelta(days=shop.settings.refresh_token_days),
    )


async def _throttle(request: Request, shop: ShopDep) -> Throttle:
    address = request.client.host if request.client else "unknown"
    return Throttle(shop.limiter, shop.settings, address=address, now=shop.database.clock.now())


ClientDep = Annotated[Client, Depends(_client)]
KeeperDep = Annotated[sessions.SessionKeeper, Depends(_keeper)]
ThrottleDep = Annotated[Throttle, Depends(_throttle)]


@router.post(
    "/auth/register",
    status_code=202,
    summary="Register a shopper",
    dependencies=[Depends(public())],
    responses=problem_responses(422, 429),
)
def register(body: RegistrationIn, shop: ShopDep, throttle: ThrottleDep, request_id: RequestId) -> RegistrationOut:
    """Registers and answers the same for known and unknown addresses; the mailbox learns which it was.

    Repeating it does nothing more, so it takes no idempotency key.
    """
    throttle.registration()
    registration.register(shop.database, hasher=shop.hasher, request_id=request_id, **body.model_dump())
    return RegistrationOut()


@router.post(
    "/auth/login",
    summary="Log in",
    dependencies=[Depends(public())],
    responses=problem_responses(401, 422, 429),
)
def log_in(
    body: LogInIn,
    keeper: KeeperDep,
    throttle: ThrottleDep,
    client: ClientDep,
    response: Response,
) -> TokensOut:
    """Opens a session for shopper or staff. Unknown address and wrong password are answered alike."""
    throttle.log_in(body.email)
    pair = keeper.log_in(
        email=body.email, password=body.password, user_agent=client.user_agent, request_id=client.request_id
    )
    throttle.logged_in(body.email)
    _keep_out_of_caches(response)
    return TokensOut.of(pair)


@router.post(
    "/auth/refresh",
    summary="Renew the tokens",
    dependencies=[Depends(public())],
    responses=problem_responses(401, 422),
)
def refresh(body: RefreshIn, keeper: KeeperDep, client: ClientDep, response: Response) -> TokensOut:
    """Gives the next pair of tokens. A refresh token works once; its second use ends the session."""
    _keep_out_of_caches(response)
    return TokensOut.of(
        keeper.refresh(token=body.refresh_token, user_agent=client.user_agent, request_id=client.request_id)
    )


@router.post(
    "/auth/logout",
    status_code=204,
    summary="Log out on this device",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401),
)
def log_out(actor: CurrentActor, session: WriteSession, clock: ClockDep) -> None:
    """Ends the session that asks: its access token as well as its refresh token."""
    user_id, session_id = _session_of(actor)
    sessions.end_session(session, user_id=user_id, session_id=session_id, now=clock.now())


@router.post(
    "/auth/logout-everywhere",
    status_code=204,
    summary="Log out on every device",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401),
)
def log_out_everywhere(actor: CurrentActor, session: WriteSession, clock: ClockDep) -> None:
    """Ends every session of the user."""
    user_id, _ = _session_of(actor)
    sessions.end_all_sessions(session, user_id=user_id, now=clock.now())


@router.get(
    "/me",
    summary="Who is logged in, and what they may",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401),
)
def me(actor: CurrentActor, session: ReadSession) -> MeOut:
    """The account, its roles and permissions, and its customer profile."""
    user_id, _ = _session_of(actor)
    return MeOut.of(service.get_user(session, user_id), service.customer_of_user(session, user_id), actor)


@router.patch(
    "/me",
    summary="Change the profile",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 422),
)
def change_me(body: ProfileIn, actor: CurrentActor, session: WriteSession) -> MeOut:
    """Changes only the fields that are sent."""
    user_id, _ = _session_of(actor)
    user = service.update_profile(session, user_id=user_id, changes=body.changes())
    return MeOut.of(user, service.customer_of_user(session, user_id), actor)


@router.put(
    "/me/password",
    status_code=204,
    summary="Change the password",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 422, 429),
)
def change_password(
    body: PasswordChangeIn, actor: CurrentActor, keeper: KeeperDep, throttle: ThrottleDep, request_id: RequestId
) -> None:
    """Sets another password and ends every session, this one included."""
    user_id, _ = _session_of(actor)
    throttle.password_check(user_id)
    keeper.change_password(user_id=user_id, current=body.current_password, new=body.new_password, request_id=request_id)


@router.get(
    "/me/sessions",
    summary="The devices that are logged in",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401),
)
def my_sessions(actor: CurrentActor, session: ReadSession, clock: ClockDep) -> list[SessionOut]:
    """Every live session, the one used last first."""
    user_id, session_id = _session_of(actor)
    live = sessions.list_sessions(session, user_id=user_id, now=clock.now())
    return [SessionOut.of(device, current_id=session_id) for device in live]


@router.delete(
    "/me/sessions/{session_id}",
    status_code=204,
    summary="Log a device out",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 404),
)
def end_my_session(
    session_id: Annotated[str, Path(max_length=40, examples=["ses_4k2v9m0q7d8w1x5y3z6a7b8c9d"])],
    actor: CurrentActor,
    session: WriteSession,
    clock: ClockDep,
) -> None:
    """Ends one of the caller's own sessions at once."""
    user_id, _ = _session_of(actor)
    sessions.end_session(session, user_id=user_id, session_id=session_id, now=clock.now())


@router.get(
    "/me/addresses",
    summary="The address book",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 404),
)
def my_addresses(actor: CurrentActor, session: ReadSession) -> list[AddressOut]:
    """Every address, oldest first."""
    return [AddressOut.of(a) for a in addresses.list_addresses(session, customer_id=_customer_of(actor))]


@router.post(
    "/me/addresses",
    status_code=201,
    summary="Add an address",
    response_model=AddressOut,
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 404, 409, 422),
)
def add_address(
    body: SavedAddressIn, actor: CurrentActor, session: WriteSession, clock: ClockDep, replay: Idempotency
) -> Response:
    """Adds an address to the book."""
    customer_id = _customer_of(actor)
    return replay.answer(
        session,
        status=201,
        make=lambda: AddressOut.of(
            addresses.add_address(session, customer_id=customer_id, fields=body.model_dump(), now=clock.now())
        ),
    )


@router.put(
    "/me/addresses/{address_id}",
    summary="Write an address anew",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 404, 422),
)
def replace_address(
    address_id: Annotated[int, Path(ge=1, examples=[3])],
    body: SavedAddressIn,
    actor: CurrentActor,
    session: WriteSession,
) -> AddressOut:
    """Replaces every field. Orders keep the copy that they were placed with."""
    address = addresses.replace_address(
        session, customer_id=_customer_of(actor), address_id=address_id, fields=body.model_dump()
    )
    return AddressOut.of(address)


@router.delete(
    "/me/addresses/{address_id}",
    status_code=204,
    summary="Delete an address",
    dependencies=[Depends(authenticated())],
    responses=problem_responses(401, 404),
)
def delete_address(
    address_id: Annotated[int, Path(ge=1, examples=[3])], actor: CurrentActor, session: WriteSession
) -> None:
    """Forgets an address. Orders keep their copy."""
    addresses.delete_address(session, customer_id=_customer_of(actor), address_id=address_id)


def _keep_out_of_caches(response: Response) -> None:
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, 5.1: answers that carry tokens


def _session_of(actor: Actor) -> tuple[int, str]:
    assert actor.user_id is not None  # `authenticated()` stands before every caller
    assert actor.session_id is not None
    return actor.user_id, actor.session_id


def _customer_of(actor: Actor) -> int:
    if actor.customer_id is None:
        raise NotFound("this account has no customer profile, so it has no address book")
    return actor.customer_id
