{{ config(materialized='view') }}

-- Lines that a change set added to an order after it was placed: they are sold on the day the change was applied, so
-- that a closed month does not grow. A line takes the first change that names it.
select
    order_lines.order_line_id,
    order_lines.order_id,
    order_lines.product_id,
    order_lines.quantity as units,
    order_lines.gross_amount,
    order_lines.line_discount_amount,
    order_lines.order_discount_amount,
    order_lines.points_discount_amount,
    order_lines.net_amount,
    order_lines.tax_amount,
    added.applied_at,
    {{ shop_day('orders.placed_at', 'shop.time_zone') }} as order_day,
    {{ shop_day('added.applied_at', 'shop.time_zone') }} as sold_day,
    not orders.is_test
    and {{ is_sale('orders.status', 'orders.payment_mode', 'orders.paid_at') }} as is_sale
from (
    select
        change_lines.order_line_id,
        min(changes.applied_at) as applied_at
    from {{ ref('stg_order_change_lines') }} as change_lines
    inner join {{ ref('stg_order_changes') }} as changes on change_lines.change_id = changes.change_id
    where change_lines.change_action = 'add' and changes.change_status = 'applied'
    group by change_lines.order_line_id
) as added
inner join {{ ref('stg_order_lines') }} as order_lines on added.order_line_id = order_lines.order_line_id
inner join {{ ref('stg_orders') }} as orders on order_lines.order_id = orders.order_id
cross join {{ ref('int_shop') }} as shop
