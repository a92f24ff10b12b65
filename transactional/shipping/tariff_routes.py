"""The tariff and the courier rules over HTTP, for staff."""

from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Path, Query, Response

from transactional.core.access import requires
from transactional.core.deps import ClockDep, ReadSession, SettingsDep, WriteSession
from transactional.core.idempotency import Idempotency
from transactional.core.problems import problem_responses
from transactional.shipping import rules, schemas, tariff

router = APIRouter(prefix="/v1/staff", tags=["shipping tariff"])

READERS = [Depends(requires("read_shipping"))]
WRITERS = [Depends(requires("write_shipping"))]

RowId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[3])]


@router.get("/shipping/zones", summary="Tariff zones", dependencies=READERS, responses=problem_responses(401, 403))
def zones(session: ReadSession) -> list[schemas.ZoneOut]:
    """Every prefix of postal codes with its zone; the longest match decides."""
    return [schemas.ZoneOut.of(row) for row in tariff.list_zones(session)]


@router.put(
    "/shipping/zones",
    summary="Put a prefix into a zone",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def set_zone(session: WriteSession, body: schemas.ZoneIn) -> schemas.ZoneOut:
    """New or moved; orders keep the charge that was frozen with them."""
    return schemas.ZoneOut.of(tariff.set_zone(session, **body.model_dump()))


@router.delete(
    "/shipping/zones/{row_id}",
    summary="Take a prefix out of the tariff",
    status_code=204,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404),
)
def delete_zone(session: WriteSession, row_id: RowId) -> None:
    """A shorter prefix decides from now on; without any, the shop does not send there."""
    tariff.delete_zone(session, zone_id=row_id)


@router.get("/shipping/rates", summary="Rates by zone", dependencies=READERS, responses=problem_responses(401, 403))
def rates(session: ReadSession) -> list[schemas.RateOut]:
    """What each zone costs."""
    return [schemas.RateOut.of(row) for row in tariff.list_rates(session)]


@router.put(
    "/shipping/rates",
    summary="Set what a zone costs",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def set_rate(session: WriteSession, body: schemas.RateIn) -> schemas.RateOut:
    """New or changed; orders keep the charge that was frozen with them."""
    return schemas.RateOut.of(tariff.set_rate(session, **body.model_dump()))


@router.delete(
    "/shipping/rates/{row_id}",
    summary="Stop sending to a zone",
    status_code=204,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404),
)
def delete_rate(session: WriteSession, row_id: RowId) -> None:
    """In this currency."""
    tariff.delete_rate(session, rate_id=row_id)


@router.get("/courier-rules", summary="Courier rules", dependencies=READERS, responses=problem_responses(401, 403))
def list_rules(session: ReadSession) -> list[schemas.RuleOut]:
    """In the order in which they are looked at."""
    return [schemas.RuleOut.of(rule) for rule in rules.list_rules(session)]


@router.post(
    "/courier-rules",
    summary="Create a courier rule",
    status_code=201,
    response_model=schemas.RuleOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def create_rule(session: WriteSession, clock: ClockDep, replay: Idempotency, body: schemas.RuleIn) -> Response:
    """It counts from the next choice on."""

    def make() -> schemas.RuleOut:
        return schemas.RuleOut.of(rules.create_rule(session, values=body.values(), now=clock.now()))

    return replay.answer(session, status=201, make=make)


@router.put(
    "/courier-rules/{row_id}",
    summary="Change a courier rule",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def change_rule(session: WriteSession, row_id: RowId, body: schemas.RuleIn) -> schemas.RuleOut:
    """All of it anew."""
    return schemas.RuleOut.of(rules.change_rule(session, rule_id=row_id, values=body.values()))


@router.delete(
    "/courier-rules/{row_id}",
    summary="Delete a courier rule",
    status_code=204,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404),
)
def delete_rule(session: WriteSession, row_id: RowId) -> None:
    """Tables of earlier choices keep its name."""
    rules.delete_rule(session, rule_id=row_id)


@router.get(
    "/couriers/accuracy",
    summary="Predicted and real cost by courier",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def accuracy(
    session: ReadSession,
    settings: SettingsDep,
    month: Annotated[date, Query(description="Any day of the month", examples=["2026-01-01"])],
) -> list[schemas.AccuracyOut]:
    """Of the parcels made in a month whose cost is known."""
    found = rules.accuracy(session, month=month, zone=ZoneInfo(settings.time_zone))
    return [schemas.AccuracyOut.of(row) for row in found]
