"""The points programme over HTTP, for staff: its versions, campaigns, what is owed, and what other rules would do."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response

from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.loyalty import programme_admin, service, staff_schemas
from transactional.loyalty.liability import liability
from transactional.loyalty.programme import versions
from transactional.loyalty.replay import replay

router = APIRouter(prefix="/v1/staff/points", tags=["points"])

READERS = [Depends(requires("read_points"))]
WRITERS = [Depends(requires("write_points"))]

Version = Annotated[int, Path(examples=[2], ge=1, le=2**31 - 1)]
CampaignId = Annotated[int, Path(examples=[3], ge=1, le=2**62)]


@router.get(
    "/programme",
    summary="The versions of the points programme",
    dependencies=READERS,
    responses=problem_responses(401, 403),
)
def programme(session: ReadSession) -> list[staff_schemas.PointsVersionOut]:
    """Newest first; the last that has begun is in force."""
    found = reversed(versions(session))
    return [staff_schemas.PointsVersionOut.of(each, programme_admin.tiers_of(session, each)) for each in found]


@router.post(
    "/programme",
    summary="Plan the next version of the points programme",
    status_code=201,
    response_model=staff_schemas.PointsVersionOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def plan_version(
    session: WriteSession, clock: ClockDep, replay: Idempotency, body: staff_schemas.PointsVersionIn
) -> Response:
    """Checked as a whole; begins in the future and touches nothing that was earned before."""

    def make() -> staff_schemas.PointsVersionOut:
        planned = programme_admin.plan_version(
            session,
            changes=body.changes.named(),
            tiers=None if body.tiers is None else [tier.level() for tier in body.tiers],
            valid_from=body.valid_from,
            now=clock.now(),
        )
        return staff_schemas.PointsVersionOut.of(planned, programme_admin.tiers_of(session, planned))

    return replay.answer(session, status=201, make=make)


@router.delete(
    "/programme/{version}",
    summary="Withdraw a version before it begins",
    status_code=204,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def withdraw_version(session: WriteSession, clock: ClockDep, version: Version) -> None:
    """Only the newest, and only while it is planned."""
    programme_admin.withdraw_version(session, version=version, now=clock.now())


@router.post(
    "/programme/replay",
    summary="What other rules would have done",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def replay_rules(session: ReadSession, clock: ClockDep, body: staff_schemas.ReplayIn) -> staff_schemas.ReplayOut:
    """The recorded history under other rules, beside what happened. Nothing is written."""
    now = clock.now()
    effect = replay(
        session,
        changes=body.changes.named(),
        tiers=None if body.tiers is None else [tier.level() for tier in body.tiers],
        since=body.since,
        until=body.until or now,
        now=now,
    )
    return staff_schemas.ReplayOut.of(effect)


@router.get(
    "/liability",
    summary="What the shop owes in points",
    dependencies=READERS,
    responses=problem_responses(401, 403),
)
def open_points(session: ReadSession, clock: ClockDep) -> staff_schemas.LiabilityOut:
    """How much, of which kind, and to whom most."""
    return staff_schemas.LiabilityOut.of(liability(session, now=clock.now()))


@router.get(
    "/campaigns", summary="Campaigns that multiply points", dependencies=READERS, responses=problem_responses(401, 403)
)
def campaigns(session: ReadSession, clock: ClockDep) -> list[staff_schemas.PointsCampaignOut]:
    """Newest first."""
    now = clock.now()
    return [staff_schemas.PointsCampaignOut.of(campaign, now) for campaign in service.campaigns(session)]


@router.post(
    "/campaigns",
    summary="Plan a campaign that multiplies points",
    status_code=201,
    response_model=staff_schemas.PointsCampaignOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def plan_campaign(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    body: staff_schemas.PointsCampaignIn,
) -> Response:
    """It begins by itself; until then it can be started earlier or withdrawn."""

    def make() -> staff_schemas.PointsCampaignOut:
        made = service.create_campaign(session, **body.model_dump(), actor=actor.name, now=clock.now())
        return staff_schemas.PointsCampaignOut.of(made, clock.now())

    return replay.answer(session, status=201, make=make)


@router.post(
    "/campaigns/{campaign_id}/start",
    summary="Begin a planned campaign now",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def start_campaign(session: WriteSession, clock: ClockDep, campaign_id: CampaignId) -> staff_schemas.PointsCampaignOut:
    """Orders that are paid from now on earn by it."""
    now = clock.now()
    return staff_schemas.PointsCampaignOut.of(
        programme_admin.start_campaign(session, campaign_id=campaign_id, now=now), now
    )


@router.post(
    "/campaigns/{campaign_id}/end",
    summary="End a campaign, or withdraw a planned one",
    status_code=204,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def end_campaign(session: WriteSession, clock: ClockDep, campaign_id: CampaignId) -> None:
    """What was earned by it stays."""
    service.end_campaign(session, campaign_id=campaign_id, now=clock.now())
