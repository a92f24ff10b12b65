{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='order_id',
    on_schema_change='fail',
    meta={'changed_table': 'orders', 'follows_orders': true},
) }}

with orders as (
    select
        orders.order_id,
        orders.status,
        orders.total_amount,
        {{ shop_day('orders.placed_at', 'shop.time_zone') }} as order_day
    from {{ ref('stg_orders') }} as orders
    cross join {{ ref('int_shop') }} as shop
    where
        not orders.is_test
        {% if is_incremental() -%}
            and orders.order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
        {%- endif %}
),

spells as (
    select
        changes.order_id,
        changes.to_status as status,
        changes.occurred_at as entered_at,
        lead(changes.occurred_at) over (
            partition by changes.order_id
            order by changes.occurred_at, changes.status_change_id
        ) as left_at
    from {{ ref('stg_order_status_changes') }} as changes
    inner join orders on changes.order_id = orders.order_id
),

-- An imported order may stand in a status without a recorded step into it.
stays as (
    select
        order_id,
        status,
        {{ hours_between('entered_at', 'left_at') }} as closed_hours,
        case when left_at is null then entered_at end as open_since
    from spells
    union all
    select
        order_id,
        status,
        null as closed_hours,
        null as open_since
    from orders
)

select
    stays.order_id,
    stays.status,
    orders.order_day,
    orders.total_amount,
    orders.status = stays.status as is_current,
    sum(stays.closed_hours) as closed_hours,
    max(stays.open_since) as open_since
from stays
inner join orders on stays.order_id = orders.order_id
group by
    stays.order_id,
    stays.status,
    orders.order_day,
    orders.total_amount,
    orders.status
