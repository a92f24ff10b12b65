{% set buckets = [
    ('under 1 day', 0, 1),
    ('1 to 2 days', 1, 2),
    ('2 to 3 days', 2, 3),
    ('3 to 7 days', 3, 7),
    ('over 7 days', 7, none),
] %}
{% set open_statuses = [
    'awaiting_approval', 'awaiting_payment', 'paid', 'modifying', 'awaiting_extra_payment', 'packed',
    'partially_shipped', 'shipped', 'partially_delivered',
] %}

with open_orders as (
    select
        stays.status,
        stays.total_amount,
        greatest(
            {{ hours_between('coalesce(stays.open_since, cast(stays.order_day as timestamp))', 'shop.as_of') }}, 0
        ) as hours
    from {{ ref('int_order_status_hours') }} as stays
    cross join {{ ref('int_shop') }} as shop
    where stays.is_current and stays.order_day <= shop.as_of_day
),

cells as (
    {% for status in open_statuses -%}
        {% set status_order = loop.index -%}
        {% set is_last_status = loop.last -%}
        {% for label, from_day, to_day in buckets -%}
            select
                '{{ status }}' as status,
                {{ status_order }} as status_order,
                '{{ label }}' as age_bucket,
                {{ loop.index }} as bucket_order,
                {{ from_day * 24 }} as hours_from,
                {{ 'null' if to_day is none else to_day * 24 }} as hours_to
            {% if not (is_last_status and loop.last) %}union all{% endif %}
        {% endfor %}
    {% endfor %}
)

select
    cells.status,
    cast(cells.status_order as bigint) as status_order,
    cells.age_bucket,
    cast(cells.bucket_order as bigint) as bucket_order,
    count(open_orders.status) as orders,
    {{ sum_money('open_orders.total_amount') }} as amount,
    cast(max(open_orders.hours) as double) as oldest_hours
from cells
left join open_orders
    on
        cells.status = open_orders.status
        and cells.hours_from <= open_orders.hours
        and (cells.hours_to is null or cells.hours_to > open_orders.hours)
group by cells.status, cells.status_order, cells.age_bucket, cells.bucket_order
