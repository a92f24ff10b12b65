"""Affiliates over HTTP: links that everybody follows, the affiliate's own dashboard, a customer's invitation."""

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Cookie, Depends, Header, Path, Query, Request, Response

from transactional.affiliates import dashboard, schemas, service
from transactional.core.access import Actor, CurrentActor, authenticated, public
from transactional.core.deps import ClockDep, ReadSession, SettingsDep, ShopDep, WriteSession
from transactional.core.errors import NotFound
from transactional.core.idempotency import Idempotency
from transactional.core.pagination import CursorParams, Page, shape_page
from transactional.core.problems import problem_responses
from transactional.core.ratelimit import Limit
from transactional.core.security import jwt_secret

router = APIRouter(prefix="/v1", tags=["affiliates"])

EVERYBODY = [Depends(public())]
OWN = [Depends(authenticated())]

COOKIE = "mlt_visitor"
_COOKIE_SECONDS = 365 * 24 * 3_600
_CLICKS = Limit(60, timedelta(minutes=1))
"""Clicks from one address."""

LinkId = Annotated[str, Path(max_length=40, examples=["lnk_7h2k9m4q1x8c5v3b6n0z7w2r4t"])]
_REDIRECT: dict[int | str, dict[str, Any]] = {
    303: {"description": "To the landing page of the link", "headers": {"Location": {"schema": {"type": "string"}}}}
}


async def _browser(
    request: Request,
    shop: ShopDep,
    user_agent: Annotated[str, Header(max_length=1_000, include_in_schema=False)] = "",
    accept_language: Annotated[str, Header(max_length=1_000, include_in_schema=False)] = "",
) -> service.Browser:
    """What the browser says of itself; too many clicks from one address are refused."""
    address = request.client.host if request.client else "unknown"
    shop.limiter.hit(f"affiliate-click@{address}", _CLICKS, now=shop.database.clock.now())
    return service.Browser(address, user_agent, accept_language)


BrowserDep = Annotated[service.Browser, Depends(_browser)]


@router.get(
    "/affiliate-links/{link_id}",
    summary="Follow an affiliate's link",
    status_code=303,
    response_class=Response,
    dependencies=EVERYBODY,
    responses=_REDIRECT | problem_responses(404, 422, 429),
)
def follow(
    *,
    session: WriteSession,
    shop: ShopDep,
    clock: ClockDep,
    browser: BrowserDep,
    link_id: LinkId,
    consent: Annotated[bool, Query(description="Whether the visitor agreed to be remembered")] = False,
    mlt_visitor: Annotated[str | None, Cookie(max_length=64, include_in_schema=False)] = None,
) -> Response:
    """Leads on to a page of the shop; a cookie is set, and the visitor remembered, only with consent."""
    followed = service.follow(
        session,
        link=link_id,
        visitor_id=mlt_visitor,
        consent=consent,
        browser=browser,
        secret=jwt_secret(shop.settings),
        now=clock.now(),
    )
    answer = Response(status_code=303, headers={"Location": followed.landing, "Cache-Control": "no-store"})
    if followed.visitor_id is not None:
        answer.set_cookie(COOKIE, followed.visitor_id, max_age=_COOKIE_SECONDS, httponly=False, samesite="lax")
    return answer


@router.post(
    "/affiliate-links/{link_id}/clicks",
    summary="Report a click on an affiliate's link",
    status_code=201,
    dependencies=EVERYBODY,
    responses=problem_responses(404, 422, 429),
)
def report_click(
    *,
    session: WriteSession,
    shop: ShopDep,
    clock: ClockDep,
    browser: BrowserDep,
    link_id: LinkId,
    body: schemas.ClickIn,
) -> schemas.FollowedOut:
    """For shop fronts that keep the visitor's id themselves and name it at checkout as `visitor_id`."""
    followed = service.follow(
        session,
        link=link_id,
        visitor_id=body.visitor_id,
        consent=body.consent,
        browser=browser,
        secret=jwt_secret(shop.settings),
        now=clock.now(),
    )
    return schemas.FollowedOut(landing=followed.landing, visitor_id=followed.visitor_id)


@router.get(
    "/affiliate-programmes/{key}",
    summary="What an affiliate programme says",
    dependencies=EVERYBODY,
    responses=problem_responses(404, 422),
)
def terms(
    session: ReadSession,
    settings: SettingsDep,
    clock: ClockDep,
    key: Annotated[str, Path(max_length=40, examples=["friends"])],
) -> schemas.ProgrammeTermsOut:
    """The version that counts now, with its text."""
    programme = service.programme_by_key(session, key)
    version = service.version_at(session, programme.id, at=clock.now())
    if version is None:
        raise NotFound("this programme has not begun")
    return schemas.ProgrammeTermsOut(
        programme=programme.key,
        name=programme.name,
        version=version.version,
        valid_from=version.valid_from,
        window_days=version.window_days,
        click_rule=version.click_rule.value,
        winner=version.winner.value,
        rate_bp=version.rate_bp,
        text=service.published_text(session, version, settings=settings),
    )


@router.post(
    "/affiliates",
    summary="Apply to become an affiliate",
    status_code=201,
    response_model=schemas.AffiliateOut,
    dependencies=OWN,
    responses=problem_responses(401, 404, 409, 422),
)
def apply(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, replay: Idempotency, body: schemas.ApplicationIn
) -> Response:
    """For customers with an account, once. Staff decide."""

    def make() -> schemas.AffiliateOut:
        details = body.model_dump(exclude={"programme"})
        programme = service.programme_by_key(session, body.programme)
        applied = service.apply(
            session, customer_id=_customer(actor), programme_id=programme.id, now=clock.now(), **details
        )
        return schemas.AffiliateOut.of(applied)

    return replay.answer(session, status=201, make=make)


@router.get("/affiliates/me", summary="My affiliate dashboard", dependencies=OWN, responses=problem_responses(401, 404))
def mine(session: ReadSession, actor: CurrentActor) -> schemas.DashboardOut:
    """Clicks, orders and earnings by state; nothing tells who the shoppers are."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    return schemas.DashboardOut.of(affiliate, service.figures(session, affiliate.id))


@router.get("/affiliates/me/links", summary="My links", dependencies=OWN, responses=problem_responses(401, 404))
def links(session: ReadSession, actor: CurrentActor) -> list[schemas.AffiliateLinkOut]:
    """The oldest first."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    return [schemas.AffiliateLinkOut.of(link) for link in service.links_of(session, affiliate.id)]


@router.post(
    "/affiliates/me/links",
    summary="Make a link",
    status_code=201,
    response_model=schemas.AffiliateLinkOut,
    dependencies=OWN,
    responses=problem_responses(401, 404, 409, 422),
)
def add_link(
    session: WriteSession, clock: ClockDep, actor: CurrentActor, replay: Idempotency, body: schemas.LinkIn
) -> Response:
    """To any page of the shop."""

    def make() -> schemas.AffiliateLinkOut:
        affiliate = service.affiliate_of_customer(session, actor.customer_id)
        link = service.add_link(
            session, affiliate_id=affiliate.id, landing=body.landing, label=body.label, now=clock.now()
        )
        return schemas.AffiliateLinkOut.of(link)

    return replay.answer(session, status=201, make=make)


@router.delete(
    "/affiliates/me/links/{link_id}", summary="End a link", dependencies=OWN, responses=problem_responses(401, 404, 422)
)
def end_link(session: WriteSession, clock: ClockDep, actor: CurrentActor, link_id: LinkId) -> schemas.AffiliateLinkOut:
    """It still leads to its page, and counts nothing any more."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    return schemas.AffiliateLinkOut.of(
        service.end_link(session, affiliate_id=affiliate.id, link=link_id, now=clock.now())
    )


@router.put(
    "/affiliates/me/pay-to",
    summary="Change where my commission is paid",
    dependencies=OWN,
    responses=problem_responses(401, 404, 422),
)
def change_pay_to(session: WriteSession, actor: CurrentActor, body: schemas.PayToIn) -> schemas.AffiliateOut:
    """For later payouts; those that were made keep theirs."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    return schemas.AffiliateOut.of(service.change_pay_to(session, affiliate_id=affiliate.id, pay_to=body.pay_to))


@router.get("/affiliates/me/codes", summary="My codes", dependencies=OWN, responses=problem_responses(401, 404))
def codes(session: ReadSession, actor: CurrentActor) -> list[schemas.AffiliateCodeOut]:
    """Staff give them out."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    return [schemas.AffiliateCodeOut.of(code) for code in service.codes_of(session, affiliate.id)]


@router.get("/affiliates/me/clicks", summary="My clicks", dependencies=OWN, responses=problem_responses(401, 404, 422))
def clicks(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.ClickOut]:
    """Newest first."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    return shape_page(*service.clicks_page(session, affiliate.id, cursor), schemas.ClickOut.of)


@router.get("/affiliates/me/orders", summary="My orders", dependencies=OWN, responses=problem_responses(401, 404, 422))
def orders(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.AttributedOrderOut]:
    """Newest first, each with its commission."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    rows, more = service.attributions_page(session, affiliate.id, cursor)
    lots = service.lots_of_attributions(session, rows)
    return shape_page(rows, more, lambda row: schemas.AttributedOrderOut.of(row, lots.get(row.id, ())))


@router.get(
    "/affiliates/me/orders/{receipt}/receipt",
    summary="Verify the receipt of an order",
    dependencies=OWN,
    responses=problem_responses(401, 404, 422),
)
def receipt(
    session: ReadSession,
    actor: CurrentActor,
    receipt: Annotated[str, Path(max_length=40, examples=["rcp_7h2k9m4q1x8c5v3b6n0z7w2r4t"])],
) -> schemas.OrderReceiptOut:
    """The facts from the click to each line's commission with their hashes, to be checked here or anywhere else."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    attribution = dashboard.own_attribution(session, affiliate.id, receipt)
    links = service.chain(session, attribution)
    return schemas.OrderReceiptOut.of(attribution, links, follows_on=service.follows_on(session, attribution))


@router.get(
    "/affiliates/me/payouts", summary="My payouts", dependencies=OWN, responses=problem_responses(401, 404, 422)
)
def payouts(session: ReadSession, actor: CurrentActor, cursor: CursorParams) -> Page[schemas.AffiliatePayoutOut]:
    """Newest first."""
    affiliate = service.affiliate_of_customer(session, actor.customer_id)
    rows, more = service.payouts_page(session, affiliate.id, cursor)
    batches = dashboard.batches_of(session, rows)
    return shape_page(rows, more, lambda row: schemas.AffiliatePayoutOut.of(row, batches[row.id]))


@router.post(
    "/invitations", summary="My invitation code", dependencies=OWN, responses=problem_responses(401, 404, 409, 422)
)
def invitation(session: WriteSession, clock: ClockDep, actor: CurrentActor) -> schemas.InviteOut:
    """Made when it is first asked for; always the same afterwards."""
    invite = service.invite_of(session, customer_id=_customer(actor), now=clock.now())
    invited = service.invited_by(session, invite)
    rewarded = sum(referral.state is service.ReferralState.GRANTED for referral in invited)
    return schemas.InviteOut(code=invite.code, invited=len(invited), rewarded=rewarded)


def _customer(actor: Actor) -> int:
    if actor.customer_id is None:
        raise NotFound("this account is no customer's")
    return actor.customer_id
