"""Affiliates over HTTP, for staff: programmes, decisions, codes, payouts, and what invitations are worth."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Response
from sqlalchemy.orm import Session

from transactional.affiliates import schemas, service, staff_schemas
from transactional.core.access import CurrentActor, requires
from transactional.core.deps import ClockDep, ReadSession, WriteSession
from transactional.core.errors import InvalidInput
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses

router = APIRouter(prefix="/v1/staff", tags=["affiliates"])

READERS = [Depends(requires("read_affiliates"))]
WRITERS = [Depends(requires("write_affiliates"))]

Programme = Annotated[str, Path(max_length=40, examples=["friends"])]
AffiliateId = Annotated[str, Path(max_length=40, examples=["aff_7h2k9m4q1x8c5v3b6n0z7w2r4t"])]
BatchId = Annotated[str, Path(max_length=40, examples=["pob_7h2k9m4q1x8c5v3b6n0z7w2r4t"])]

_CSV: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "One row a lot",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "payout,affiliate,name,pay_to,receipt,order_line,currency,amount\r\n",
            }
        },
    }
}


@router.get(
    "/affiliate-programmes",
    summary="Affiliate programmes",
    dependencies=READERS,
    responses=problem_responses(401, 403),
)
def programmes(session: ReadSession) -> list[staff_schemas.AffiliateProgrammeOut]:
    """With all their versions."""
    return [_programme(session, row) for row in service.list_programmes(session)]


@router.post(
    "/affiliate-programmes",
    summary="Create an affiliate programme",
    status_code=201,
    response_model=staff_schemas.AffiliateProgrammeOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def create_programme(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, replay: Idempotency, body: staff_schemas.ProgrammeIn
) -> Response:
    """Nobody earns by it before its first version."""

    def make() -> staff_schemas.AffiliateProgrammeOut:
        row = service.create_programme(session, key=body.key, name=body.name, actor=actor.name, now=clock.now())
        return _programme(session, row)

    return replay.answer(session, status=201, make=make)


@router.post(
    "/affiliate-programmes/{programme}/versions",
    summary="Change what an affiliate programme says",
    status_code=201,
    response_model=staff_schemas.AffiliateVersionOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def add_version(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    programme: Programme,
    body: staff_schemas.AffiliateVersionIn,
) -> Response:
    """A version is never changed: orders that were placed before keep theirs."""

    def make() -> staff_schemas.AffiliateVersionOut:
        version = service.add_version(
            session,
            programme_id=service.programme_by_key(session, programme).id,
            rates=[_rate(session, rate) for rate in body.rates],
            actor=actor.name,
            now=clock.now(),
            **body.model_dump(exclude={"rates"}),
        )
        return staff_schemas.AffiliateVersionOut.of(version)

    return replay.answer(session, status=201, make=make)


@router.get("/affiliates", summary="Affiliates", dependencies=READERS, responses=problem_responses(401, 403, 422))
def affiliates(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[service.AffiliateStatus | None, Query(description="Only these")] = None,
) -> Page[staff_schemas.StaffAffiliateOut]:
    """Newest first."""
    rows, more = service.page_of_affiliates(session, cursor, status=status)
    return shape_page(rows, more, staff_schemas.StaffAffiliateOut.of)


@router.get(
    "/affiliates/{affiliate_id}",
    summary="One affiliate's figures",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404, 422),
)
def affiliate(session: ReadSession, affiliate_id: AffiliateId) -> schemas.DashboardOut:
    """As the affiliate sees them."""
    row = service.find_affiliate(session, affiliate_id)
    return schemas.DashboardOut.of(row, service.figures(session, row.id))


@router.put(
    "/affiliates/{affiliate_id}/status",
    summary="Approve, reject or deactivate an affiliate",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def decide(
    *,
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    affiliate_id: AffiliateId,
    body: staff_schemas.AffiliateDecisionIn,
) -> staff_schemas.StaffAffiliateOut:
    """From the moment of deactivation nothing is earned any more. Nobody decides about themselves."""
    row = service.find_affiliate(session, affiliate_id)
    common: dict[str, Any] = {"affiliate_id": row.id, "actor": actor.name, "now": clock.now()}
    if body.status is service.AffiliateStatus.ACTIVE:
        decided = service.approve(session, note=body.note, **common)
    elif body.status is service.AffiliateStatus.REJECTED:
        decided = service.reject(session, note=body.note or "", **common)
    elif body.status is service.AffiliateStatus.INACTIVE:
        decided = service.deactivate(session, note=body.note or "", **common)
    else:
        raise InvalidInput("an affiliate becomes active, rejected or inactive", field="status")
    return staff_schemas.StaffAffiliateOut.of(decided)


@router.post(
    "/affiliates/{affiliate_id}/codes",
    summary="Give an affiliate a code",
    status_code=201,
    response_model=schemas.AffiliateCodeOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def add_code(
    *,
    session: WriteSession,
    clock: ClockDep,
    replay: Idempotency,
    affiliate_id: AffiliateId,
    body: schemas.AffiliateCodeIn,
) -> Response:
    """It names the affiliate at checkout; a coupon of the same letters counts as well."""

    def make() -> schemas.AffiliateCodeOut:
        row = service.find_affiliate(session, affiliate_id)
        code = service.add_code(session, affiliate_id=row.id, code=body.code, now=clock.now())
        return schemas.AffiliateCodeOut.of(code)

    return replay.answer(session, status=201, make=make)


@router.delete(
    "/affiliates/{affiliate_id}/codes/{code}",
    summary="End an affiliate's code",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 422),
)
def end_code(
    session: WriteSession,
    clock: ClockDep,
    affiliate_id: AffiliateId,
    code: Annotated[str, Path(max_length=40, examples=["ASHA-GIFTS"])],
) -> schemas.AffiliateCodeOut:
    """From now on it names nobody, and nobody else gets it."""
    row = service.find_affiliate(session, affiliate_id)
    return schemas.AffiliateCodeOut.of(service.end_code(session, affiliate_id=row.id, code=code, now=clock.now()))


@router.get(
    "/affiliate-payouts",
    summary="Payout batches",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def batches(session: ReadSession, cursor: CursorParams) -> Page[staff_schemas.PayoutBatchOut]:
    """Newest first."""
    return shape_page(*service.page_of_batches(session, cursor), staff_schemas.PayoutBatchOut.of)


@router.post(
    "/affiliate-payouts",
    summary="Pay out approved commission",
    status_code=201,
    response_model=staff_schemas.PayoutBatchOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def create_batch(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, replay: Idempotency, body: staff_schemas.PayoutBatchIn
) -> Response:
    """Everything that is approved, for everybody who reaches the programme's least payout; each lot once."""

    def make() -> staff_schemas.PayoutBatchOut:
        programme = service.programme_by_key(session, body.programme)
        batch = service.create_batch(
            session,
            programme_id=programme.id,
            currency=body.currency,
            actor=actor.name,
            now=clock.now(),
            note=body.note,
        )
        return staff_schemas.PayoutBatchOut.of(batch)

    return replay.answer(session, status=201, make=make)


@router.get(
    "/affiliate-payouts/{batch_id}.csv",
    summary="A payout batch as CSV",
    dependencies=READERS,
    response_class=Response,
    responses=_CSV | problem_responses(401, 403, 404, 409, 422),
)
def export(session: ReadSession, batch_id: BatchId) -> Response:
    """One row a lot; always the same bytes."""
    batch = service.find_batch(session, batch_id)
    headers = {"Content-Disposition": f'attachment; filename="{batch.public_id}.csv"'}
    return Response(service.export(session, batch), media_type="text/csv", headers=headers)


@router.get(
    "/referral-terms",
    summary="What invitations are worth",
    dependencies=READERS,
    responses=problem_responses(401, 403),
)
def referral_terms(session: ReadSession) -> list[staff_schemas.ReferralTermsOut]:
    """Every version, the newest first."""
    return [staff_schemas.ReferralTermsOut.of(terms) for terms in service.list_terms(session)]


@router.post(
    "/referral-terms",
    summary="Change what invitations are worth",
    status_code=201,
    response_model=staff_schemas.ReferralTermsOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 409, 422),
)
def add_referral_terms(
    session: WriteSession,
    clock: ClockDep,
    actor: CurrentActor,
    replay: Idempotency,
    body: staff_schemas.ReferralTermsIn,
) -> Response:
    """Orders that were placed before keep what they were promised."""

    def make() -> staff_schemas.ReferralTermsOut:
        terms = service.add_terms(session, actor=actor.name, now=clock.now(), **body.model_dump())
        return staff_schemas.ReferralTermsOut.of(terms)

    return replay.answer(session, status=201, make=make)


def _programme(session: Session, row: Any) -> staff_schemas.AffiliateProgrammeOut:
    versions = [staff_schemas.AffiliateVersionOut.of(version) for version in service.versions_of(session, row.id)]
    return staff_schemas.AffiliateProgrammeOut.of(row, versions)


def _rate(session: Session, rate: staff_schemas.CommissionRateIn) -> service.RateRow:
    affiliate_id = None if rate.affiliate is None else service.find_affiliate(session, rate.affiliate).id
    return service.RateRow(rate.rate_bp, affiliate_id, rate.category_id)
