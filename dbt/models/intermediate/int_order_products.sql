{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='order_id',
    on_schema_change='fail',
    meta={'changed_table': 'orders', 'follows_orders': true},
) }}

-- Read by the incremental branch only, which the parser does not see: depends_on {{ ref('int_changed_orders') }}
with products as (
    select
        order_id,
        product_id,
        sum(quantity) as units,
        sum(returned_quantity) as returned_units,
        sum(gross_amount) as gross_merchandise,
        sum(net_amount) as sold_merchandise
    from {{ ref('stg_order_lines') }}
    {% if is_incremental() -%}
        where order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
    {%- endif %}
    group by order_id, product_id
)

select
    products.order_id,
    products.product_id,
    {{ counted_customer('orders.customer_id', 'customers') }} as customer_id,
    orders.placed_at,
    {{ shop_day('orders.placed_at', 'shop.time_zone') }} as order_day,
    cast(products.units as bigint) as units,
    cast(products.returned_units as bigint) as returned_units,
    {{ as_money('products.gross_merchandise') }} as gross_merchandise,
    {{ as_money('products.sold_merchandise') }} as sold_merchandise
from products
inner join {{ ref('stg_orders') }} as orders on products.order_id = orders.order_id
left join {{ ref('stg_customers') }} as customers on orders.customer_id = customers.customer_id
cross join {{ ref('int_shop') }} as shop
where
    not orders.is_test
    and {{ is_sale('orders.status', 'orders.payment_mode', 'orders.paid_at') }}
