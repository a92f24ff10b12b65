{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='order_line_id',
    on_schema_change='fail',
    meta={'changed_table': 'order_lines', 'follows_orders': true},
) }}

-- Read by the incremental branch only, which the parser does not see: depends_on {{ ref('int_changed_orders') }}
select
    order_lines.order_line_id,
    order_lines.order_id,
    order_lines.product_id,
    order_lines.variant_id,
    {{ counted_customer('orders.customer_id', 'customers') }} as customer_id,
    orders.placed_at,
    {{ shop_day('orders.placed_at', 'shop.time_zone') }} as order_day,
    {{ is_sale('orders.status', 'orders.payment_mode', 'orders.paid_at') }} as is_sale,
    order_lines.sku,
    order_lines.quantity,
    order_lines.unit_price_amount as unit_price,
    coalesce(
        cast(cast(order_lines.unit_price_micros as decimal(18, 0)) * cast(0.000001 as decimal(7, 6)) as decimal(18, 6)),
        cast(order_lines.unit_price_amount as decimal(18, 6))
    ) as unit_price_exact,
    order_lines.gross_amount,
    {{ as_money('order_lines.gross_amount - order_lines.net_amount') }} as discount_amount,
    order_lines.line_discount_amount,
    order_lines.order_discount_amount,
    order_lines.points_discount_amount,
    order_lines.net_amount,
    order_lines.tax_amount,
    order_lines.cancelled_quantity,
    order_lines.shipped_quantity,
    order_lines.delivered_quantity,
    order_lines.came_back_quantity,
    order_lines.returned_quantity,
    order_lines.refunded_amount,
    added.applied_at as added_at
from {{ ref('stg_order_lines') }} as order_lines
inner join {{ ref('stg_orders') }} as orders on order_lines.order_id = orders.order_id
left join {{ ref('stg_customers') }} as customers on orders.customer_id = customers.customer_id
left join {{ ref('int_added_lines') }} as added on order_lines.order_line_id = added.order_line_id
cross join {{ ref('int_shop') }} as shop
where
    not orders.is_test
    {% if is_incremental() -%}
        and order_lines.order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
    {%- endif %}
