{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='order_id',
    on_schema_change='fail',
    meta={'changed_table': 'orders', 'follows_orders': true},
) }}

-- Read by the incremental branch only, which the parser does not see: depends_on {{ ref('int_changed_orders') }}
with spells as (
    select
        order_id,
        to_status as status,
        occurred_at as entered_at,
        lead(occurred_at) over (
            partition by order_id
            order by occurred_at, status_change_id
        ) as left_at
    from {{ ref('stg_order_status_changes') }}
    {% if is_incremental() -%}
        where order_id in (select changed.order_id from {{ ref('int_changed_orders') }} as changed)
    {%- endif %}
),

stays as (
    select
        order_id,
        status,
        sum({{ hours_between('entered_at', 'left_at') }}) as closed_hours,
        max(case when left_at is null then entered_at end) as open_since
    from spells
    group by order_id, status
),

orders as (
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
)

select
    stays.order_id,
    stays.status,
    orders.order_day,
    orders.total_amount,
    orders.status = stays.status as is_current,
    stays.closed_hours,
    stays.open_since
from stays
inner join orders on stays.order_id = orders.order_id

union all

-- An imported order may stand in a status without a recorded step into it.
select
    orders.order_id,
    orders.status,
    orders.order_day,
    orders.total_amount,
    true as is_current,
    null as closed_hours,
    null as open_since
from orders
left join stays on orders.order_id = stays.order_id and orders.status = stays.status
where stays.order_id is null
