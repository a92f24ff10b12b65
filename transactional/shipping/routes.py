"""Parcels over HTTP: looked after by staff, and told of by the carrier's webhook."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Path, Query, Response

from transactional.core.access import CurrentActor, public, requires
from transactional.core.deps import ClockDep, DatabaseDep, ReadSession, SettingsDep, WriteSession
from transactional.core.errors import Unauthenticated, Unavailable
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.core.rawbody import RawBody
from transactional.shipping import inbox, ndr, parcels, reading, schemas, tracking
from transactional.shipping.models import ShipmentStatus

router = APIRouter(prefix="/v1", tags=["parcels"])

READERS = [Depends(requires("read_orders"))]
WRITERS = [Depends(requires("write_orders"))]

ParcelId = Annotated[int, Path(ge=1, le=2**63 - 1, examples=[12])]


def known_sender(
    settings: SettingsDep,
    token: Annotated[str | None, Header(alias="x-api-key", description="The shared token")] = None,
) -> None:
    """Admit only who knows the shared token; without one configured nobody is admitted."""
    expected = settings.parcel_webhook_token.get_secret_value()
    if not expected:
        raise Unavailable("no webhook token is configured: tracking webhooks are not accepted")
    if not inbox.token_matches(token, expected):
        raise Unauthenticated("the webhook does not carry the shared token")


@router.post(
    "/hooks/parcels",
    summary="Take in a tracking webhook of the carrier",
    dependencies=[Depends(public()), Depends(known_sender)],
    responses=problem_responses(401, 413, 503),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"type": "object"},
                    "example": {"awb": "19041424751540", "shipment_status_id": 18, "scans": []},
                }
            },
        }
    },
)
def tracking_webhook(raw: RawBody, database: DatabaseDep) -> schemas.TakenOut:
    """Always 200 for whoever knows the token, also for unknown parcels and repetitions."""
    new = database.run(lambda session: inbox.receive(session, raw=raw, now=database.clock.now()), actor="carrier")
    return schemas.TakenOut(new=new)


@router.get("/staff/parcels", summary="Every parcel", dependencies=READERS, responses=problem_responses(401, 403, 422))
def listing(
    session: ReadSession,
    cursor: CursorParams,
    status: Annotated[ShipmentStatus | None, Query(description="Only in this state")] = None,
    needs_attention: Annotated[bool, Query(description="Only halted ones and those with a problem")] = False,
) -> Page[schemas.ParcelOut]:
    """Newest first."""
    rows, more = reading.page_of_parcels(session, cursor, status=status, needs_attention=needs_attention)
    return shape_page(rows, more, schemas.ParcelOut.of)


@router.get(
    "/staff/parcels/{parcel_id}",
    summary="One parcel with its scans and steps",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def parcel(session: ReadSession, parcel_id: ParcelId) -> schemas.ParcelDetailOut:
    """Everything that was told of it, also what a webhook claims without proof."""
    return schemas.ParcelDetailOut.of(
        reading.get_shipment(session, parcel_id),
        reading.items_of(session, parcel_id),
        tracking.events_of(session, parcel_id),
        reading.calls_of(session, parcel_id),
    )


@router.get(
    "/staff/parcels/{parcel_id}/couriers",
    summary="Why this courier carries a parcel",
    dependencies=READERS,
    responses=problem_responses(401, 403, 404),
)
def couriers(session: ReadSession, parcel_id: ParcelId) -> list[schemas.CourierChoiceOut]:
    """The ranked table of the choice, best first, with those that could not be taken."""
    reading.get_shipment(session, parcel_id)
    return [schemas.CourierChoiceOut.of(choice) for choice in reading.choices_of(session, parcel_id)]


@router.post(
    "/staff/parcels/{parcel_id}/cancel",
    summary="Call a parcel off",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def cancel(session: WriteSession, clock: ClockDep, actor: CurrentActor, parcel_id: ParcelId) -> schemas.ParcelOut:
    """Before the courier has it. Its units can be packed anew once the carrier has called it off."""
    return schemas.ParcelOut.of(
        parcels.request_cancellation(session, shipment_id=parcel_id, actor=actor.name, now=clock.now())
    )


@router.post(
    "/staff/parcels/{parcel_id}/retry",
    summary="Go on with a halted parcel",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409),
)
def retry(session: WriteSession, clock: ClockDep, parcel_id: ParcelId) -> schemas.ParcelOut:
    """After the cause was mended: wallet filled, rule changed, carrier back."""
    return schemas.ParcelOut.of(parcels.retry(session, shipment_id=parcel_id, now=clock.now()))


@router.put(
    "/staff/parcels/{parcel_id}/pickup",
    summary="Choose the day of the pickup",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def set_pickup(
    session: WriteSession, clock: ClockDep, parcel_id: ParcelId, body: schemas.PickupIn
) -> schemas.ParcelOut:
    """Only until it is booked: the carrier knows no call to move it."""
    return schemas.ParcelOut.of(
        parcels.set_pickup_date(session, shipment_id=parcel_id, on=body.pickup_date, now=clock.now())
    )


@router.post(
    "/staff/parcels/{parcel_id}/ndr",
    summary="Say what to do with an undelivered parcel",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def instruct(session: WriteSession, clock: ClockDep, parcel_id: ParcelId, body: schemas.NdrIn) -> schemas.ParcelOut:
    """The carrier is told after the commit; once an attempt."""
    return schemas.ParcelOut.of(
        ndr.instruct(
            session,
            shipment_id=parcel_id,
            action=body.action,
            comments=body.comments,
            more=body.more(),
            now=clock.now(),
        )
    )


@router.post(
    "/staff/parcels/{parcel_id}/scans",
    summary="Note what happened to a parcel",
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def note(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, parcel_id: ParcelId, body: schemas.HandScanIn
) -> schemas.ParcelOut:
    """Every step of a parcel that the shop carries itself; of a carrier's only a delivery that it wants looked at."""
    now = clock.now()
    return schemas.ParcelOut.of(
        parcels.note_by_hand(
            session,
            shipment_id=parcel_id,
            status=body.status,
            note=body.note,
            at=body.occurred_at or now,
            actor=actor.name,
            now=now,
        )
    )


@router.post(
    "/staff/parcels/{parcel_id}/return-pickup",
    summary="Let the courier fetch delivered goods",
    status_code=201,
    response_model=schemas.ParcelOut,
    dependencies=WRITERS,
    responses=problem_responses(401, 403, 404, 409, 422),
)
def fetch_back(
    *,
    session: WriteSession,
    clock: ClockDep,
    replay: Idempotency,
    parcel_id: ParcelId,
    body: schemas.ReturnPickupIn,
) -> Response:
    """From the customer's door to ours. The return itself, with its refund, is decided elsewhere."""

    def make() -> schemas.ParcelOut:
        units: dict[int, int] = {}
        for each in body.units:
            units[each.order_line_id] = units.get(each.order_line_id, 0) + each.quantity
        fetched = parcels.create_return_parcel(
            session, shipment_id=parcel_id, units=units, cause=f"return:{replay.key}", now=clock.now()
        )
        return schemas.ParcelOut.of(fetched)

    return replay.answer(session, status=201, make=make)


@router.get(
    "/staff/manifests",
    summary="What the couriers fetch on a day",
    dependencies=READERS,
    responses=problem_responses(401, 403, 422),
)
def manifests(session: ReadSession, day: Annotated[date, Query(examples=["2026-01-16"])]) -> list[schemas.ManifestOut]:
    """By courier, with the lists that they sign."""
    found = reading.pickups_of(session, day)
    return [
        schemas.ManifestOut(
            courier_name=name,
            pickup_date=day,
            manifest_urls=sorted({each.manifest_url for each in rows if each.manifest_url}),
            parcels=[schemas.ParcelOut.of(each) for each in rows],
        )
        for name, rows in found.items()
    ]
