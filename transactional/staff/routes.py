"""Staff and roles over HTTP."""

from itertools import groupby
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from transactional.accounts import service as accounts
from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.errors import NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.staff import service
from transactional.staff.schemas import GrantIn, MemberOut, RoleOut

router = APIRouter(prefix="/v1/staff", tags=["staff"])


@router.get(
    "/roles",
    summary="Roles and what they permit",
    dependencies=[Depends(requires("read_staff"))],
    responses=problem_responses(401, 403),
)
def roles(session: ReadSession) -> list[RoleOut]:
    """Every role with its permission keys, implied ones included."""
    return [RoleOut.of(role) for role in service.list_roles(session)]


@router.get(
    "/members",
    summary="Who works here",
    dependencies=[Depends(requires("read_staff"))],
    responses=problem_responses(401, 403),
)
def members(session: ReadSession, clock: ClockDep) -> list[MemberOut]:
    """Everybody who holds a role that has not run out."""
    grants = sorted(service.list_members(session, now=clock.now()), key=lambda grant: grant.user_id)
    by_user = groupby(grants, key=lambda grant: grant.user_id)
    return [MemberOut.of(accounts.get_user(session, user_id), list(held)) for user_id, held in by_user]


@router.post(
    "/grants",
    status_code=201,
    summary="Give somebody a role",
    response_model=MemberOut,
    dependencies=[Depends(requires("write_staff"))],
    responses=problem_responses(401, 403, 404, 422),
)
def grant(body: GrantIn, actor: CurrentActor, session: WriteSession, clock: ClockDep, replay: Idempotency) -> Response:
    """Gives a role to an account. Nobody gives a permission that they do not hold, or anything to themselves."""

    def make() -> MemberOut:
        user = accounts.user_by_email(session, body.email)
        if user is None:
            raise NotFound("no account with this e-mail address")
        service.grant_role(
            session, actor=actor, user_id=user.id, role_key=body.role, expires_at=body.expires_at, now=clock.now()
        )
        return MemberOut.of(user, service.list_grants(session, user_id=user.id, now=clock.now()))

    return replay.answer(session, status=201, make=make)


@router.delete(
    "/members/{user_id}/roles/{role}",
    status_code=204,
    summary="Take a role away",
    dependencies=[Depends(requires("write_staff"))],
    responses=problem_responses(401, 403, 404, 422),
)
def revoke(
    user_id: Annotated[int, Path(ge=1, examples=[4])],
    role: Annotated[str, Path(max_length=32, examples=["staff"])],
    actor: CurrentActor,
    session: WriteSession,
) -> None:
    """Takes a role. It counts from the next request on."""
    service.revoke_role(session, actor=actor, user_id=user_id, role_key=role)
