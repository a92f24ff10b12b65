{{ config(materialized='view') }}

-- The orders of known customers as they stood at `as_of`: nothing that happened later may change a customer's figures.
-- An order on delivery that was called off after `as_of` still counted then; lines that were added later did not.
with added_later as (
    select
        added.order_id,
        sum(added.gross_amount) as gross_merchandise,
        sum(added.net_amount) as sold_merchandise
    from {{ ref('int_added_lines') }} as added
    cross join {{ ref('int_shop') }} as shop
    where added.applied_at > shop.as_of
    group by added.order_id
)

select
    orders.order_id,
    orders.customer_id,
    orders.placed_at,
    orders.order_day,
    {{ as_money('orders.gross_merchandise - coalesce(added_later.gross_merchandise, 0)') }} as gross_merchandise,
    {{ as_money('orders.sold_merchandise - coalesce(added_later.sold_merchandise, 0)') }} as sold_merchandise
from {{ ref('fct_orders') }} as orders
cross join {{ ref('int_shop') }} as shop
left join added_later on orders.order_id = added_later.order_id
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
