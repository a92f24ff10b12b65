"""The routers of every domain, in the order in which the API document shows them."""

from fastapi import APIRouter

from transactional.accounts.routes import router as accounts
from transactional.affiliates.routes import router as affiliates
from transactional.affiliates.staff_routes import router as staff_affiliates
from transactional.behaviour.routes import router as behaviour
from transactional.cart.offer_routes import router as offers
from transactional.cart.routes import router as cart
from transactional.catalog.routes import router as catalog
from transactional.checkout.preview_routes import router as promotion_preview
from transactional.checkout.routes import router as checkout
from transactional.documents.routes import router as documents
from transactional.fulfilment.claim_routes import router as parcel_claims
from transactional.fulfilment.routes import router as fulfilment
from transactional.inventory.routes import router as inventory
from transactional.loyalty.programme_routes import router as points_programme
from transactional.loyalty.routes import router as loyalty
from transactional.loyalty.staff_routes import router as staff_points
from transactional.operations import router as operations
from transactional.orders.routes import router as orders
from transactional.orders.staff_routes import router as staff_orders
from transactional.payments.routes import router as payments
from transactional.payments.staff_routes import router as payments_staff
from transactional.promotions.group_routes import router as customer_groups
from transactional.promotions.promotion_routes import router as staff_promotions
from transactional.promotions.routes import router as promotions
from transactional.recommendations.routes import router as recommendations
from transactional.returns.routes import router as returns
from transactional.reviews.routes import router as reviews
from transactional.shipping.routes import router as shipping
from transactional.shipping.tariff_routes import router as shipping_tariff
from transactional.staff.routes import router as staff
from transactional.suppliers.purchase_routes import router as procurement
from transactional.suppliers.routes import router as suppliers
from transactional.tickets.routes import router as tickets

# A request is offered to one router after the other: those that purchases and browsing go through stand first.
ROUTERS: tuple[APIRouter, ...] = (
    operations,
    cart,
    checkout,
    payments,
    catalog,
    offers,
    behaviour,
    accounts,
    orders,
    staff_orders,
    documents,
    fulfilment,
    parcel_claims,
    shipping,
    shipping_tariff,
    payments_staff,
    returns,
    loyalty,
    staff_points,
    points_programme,
    promotions,
    staff_promotions,
    promotion_preview,
    customer_groups,
    affiliates,
    staff_affiliates,
    inventory,
    suppliers,
    procurement,
    recommendations,
    reviews,
    tickets,
    staff,
)
