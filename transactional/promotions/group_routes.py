"""Customer groups over HTTP, for staff."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from transactional.core.access import requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.promotions import promotion_schemas as schemas
from transactional.promotions import service

router = APIRouter(prefix="/v1/staff/customer-groups", tags=["promotions"])

READERS = [Depends(requires("read_promotions"))]
WRITERS = [Depends(requires("write_promotions"))]


@router.get("", summary="Every customer group", dependencies=READERS, responses=problem_responses(401, 403))
def groups(session: ReadSession, clock: ClockDep) -> list[schemas.GroupOut]:
    """With the number of members now, by name."""
    return [schemas.GroupOut.of(*row) for row in service.list_groups(session, now=clock.now())]


@router.post(
    "",
    summary="Make a customer group",
    status_code=201,
    response_model=schemas.GroupOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def create(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.GroupIn) -> Response:
    """Without members at first."""

    def make() -> schemas.GroupOut:
        return schemas.GroupOut.of(service.create_group(session, now=clock.now(), **body.model_dump()), 0)

    return replay.answer(session, status=201, make=make)


@router.put(
    "/{name}/members",
    summary="Say who belongs to a group",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def set_members(
    session: WriteSession,
    clock: ClockDep,
    name: Annotated[str, Path(max_length=120, examples=["Corporate"])],
    body: schemas.MembersIn,
) -> schemas.GroupOut:
    """From now on exactly these; whoever stays keeps their membership."""
    group = service.get_group(session, name)
    service.set_members(session, group=group, customer_ids=body.customer_ids, now=clock.now())
    return schemas.GroupOut.of(group, len(set(body.customer_ids)))
