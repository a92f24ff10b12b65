{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='order_id',
    on_schema_change='fail',
    meta={'changed_table': 'orders'},
) }}

-- Read by the incremental branch only, which the parser does not see: depends_on {{ ref('int_changed_orders') }}
with {% if is_incremental() -%}
    -- Which order is a customer's first depends on all their orders, under the customer's old and new name.
    affected_customers as (
        select orders.customer_id
        from {{ ref('stg_orders') }} as orders
        where orders.order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
        union
        select built.customer_id
        from {{ this }} as built
        where built.order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
    ),

    affected_ids as (
        select orders.order_id
        from {{ ref('stg_orders') }} as orders
        where
            orders.order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
            or orders.customer_id in (
                select affected_customers.customer_id
                from affected_customers
                where affected_customers.customer_id is not null
            )
    ),
{%- endif %}

affected_orders as (
    select
        orders.*,
        {{ is_sale('orders.status', 'orders.payment_mode', 'orders.paid_at') }} as is_sale,
        {{ counted_customer('orders.customer_id', 'customers') }} as counted_customer_id
    from {{ ref('stg_orders') }} as orders
    left join {{ ref('stg_customers') }} as customers on orders.customer_id = customers.customer_id
    where
        not orders.is_test
        {% if is_incremental() -%}
            and orders.order_id in (select affected_ids.order_id from affected_ids)
        {%- endif %}
),

units as (
    select
        order_id,
        count(*) as line_count,
        sum(quantity) as units
    from {{ ref('stg_order_lines') }}
    {% if is_incremental() -%}
        where order_id in (select affected_ids.order_id from affected_ids)
    {%- endif %}
    group by order_id
),

refunds as (
    select
        order_id,
        sum(amount) as refunded
    from {{ ref('stg_refunds') }}
    where refund_status = 'processed' and order_id is not null
    group by order_id
),

-- What was called off before the payment was never paid.
called_off as (
    select
        unit_moves.order_id,
        sum(unit_moves.refund_amount) as amount
    from {{ ref('stg_order_unit_moves') }} as unit_moves
    inner join {{ ref('stg_orders') }} as paid_orders on unit_moves.order_id = paid_orders.order_id
    where
        unit_moves.move_kind in ('cancelled', 'came_back')
        and unit_moves.occurred_at <= paid_orders.paid_at
        {% if is_incremental() -%}
            and unit_moves.order_id in (select affected_ids.order_id from affected_ids)
        {%- endif %}
    group by unit_moves.order_id
),

returns as (
    select
        order_id,
        sum(returned_amount) as returned_amount
    from {{ ref('fct_returned_lines') }}
    where order_id is not null
    group by order_id
),

-- Found apart from the wide rows: sorting those would cost several times as much.
first_orders as (
    select ranked.order_id
    from (
        select
            orders.order_id,
            row_number() over (
                partition by orders.customer_id
                order by orders.placed_at, orders.order_id
            ) as order_rank
        from {{ ref('stg_orders') }} as orders
        where
            orders.customer_id is not null
            and not orders.is_test
            and {{ is_sale('orders.status', 'orders.payment_mode', 'orders.paid_at') }}
            {% if is_incremental() -%}
                and orders.order_id in (select affected_ids.order_id from affected_ids)
            {%- endif %}
    ) as ranked
    where ranked.order_rank = 1
)

select
    orders.order_id,
    orders.order_number,
    orders.counted_customer_id as customer_id,
    orders.placed_at,
    {{ shop_day('orders.placed_at', 'shop.time_zone') }} as order_day,
    orders.status,
    orders.payment_mode,
    orders.channel,
    orders.source,
    orders.is_sale,
    first_orders.order_id is not null and orders.counted_customer_id is not null as is_first_order,
    orders.currency,
    cast(coalesce(units.line_count, 0) as bigint) as line_count,
    cast(coalesce(units.units, 0) as bigint) as units,
    orders.gross_amount as gross_merchandise,
    orders.discount_amount as discounts,
    orders.points_discount_amount as points_redeemed_value,
    {{ as_money('orders.gross_amount - orders.discount_amount - orders.points_discount_amount') }}
        as sold_merchandise,
    {{ as_money('returns.returned_amount') }} as returned_amount,
    orders.shipping_amount as shipping_charged,
    orders.wrap_amount as wrap_charged,
    orders.tax_amount as tax,
    orders.tax_included as is_tax_included,
    orders.total_amount as total,
    case
        when orders.paid_at is not null or orders.payment_mode = 'external'
            then {{ as_money('orders.total_amount - coalesce(called_off.amount, 0)') }}
        else cast(0 as decimal(18, 2))
    end as net_paid,
    {{ as_money('refunds.refunded') }} as refunded,
    orders.points_redeemed,
    orders.coupon_code,
    orders.occasion,
    orders.ship_country,
    orders.ship_city,
    orders.original_currency,
    orders.paid_at,
    orders.delivered_at,
    orders.cancelled_at
from affected_orders as orders
cross join {{ ref('int_shop') }} as shop
left join units on orders.order_id = units.order_id
left join refunds on orders.order_id = refunds.order_id
left join called_off on orders.order_id = called_off.order_id
left join returns on orders.order_id = returns.order_id
left join first_orders on orders.order_id = first_orders.order_id
