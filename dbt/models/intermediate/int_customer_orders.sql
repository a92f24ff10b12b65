{{ config(materialized='view') }}

-- The orders of known customers as they stood at `as_of`: nothing that happened later may change a customer's figures.
-- An order on delivery that was called off after `as_of` still counted then.
select
    orders.order_id,
    orders.customer_id,
    orders.placed_at,
    orders.order_day,
    orders.gross_merchandise,
    orders.sold_merchandise
from {{ ref('fct_orders') }} as orders
cross join {{ ref('int_shop') }} as shop
where
    orders.customer_id is not null
    and orders.placed_at <= shop.as_of
    and (
        orders.paid_at <= shop.as_of
        or (
            orders.payment_mode in ('on_delivery', 'external')
            and (orders.is_sale or orders.cancelled_at > shop.as_of)
        )
    )
