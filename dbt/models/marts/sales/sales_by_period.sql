{% set grains = ['day', 'week', 'month', 'quarter', 'year'] %}

with daily as (
    select *
    from {{ ref('int_daily_sales') }}
),

sale_orders as (
    select
        order_day,
        customer_id,
        is_first_order
    from {{ ref('fct_orders') }}
    where is_sale and customer_id is not null
),

money as (
    {% for grain in grains -%}
        select
            '{{ grain }}' as period_grain,
            {{ period_start(grain, 'date_day') }} as period_start,
            {{ sum_count('orders') }} as orders,
            {{ sum_count('units') }} as units,
            {{ sum_count('returned_units') }} as returned_units,
            {{ sum_money('gross_merchandise') }} as gross_merchandise,
            {{ sum_money('order_discounts') }} as order_discounts,
            {{ sum_money('points_redeemed_value') }} as points_redeemed_value,
            {{ sum_money('credited_discounts') }} as credited_discounts,
            {{ sum_money('discounts') }} as discounts,
            {{ sum_money('returned_amount') }} as returned_amount,
            {{ sum_money('net_merchandise') }} as net_merchandise,
            {{ sum_money('shipping_charged') }} as shipping_charged,
            {{ sum_money('shipping_refunded') }} as shipping_refunded,
            {{ sum_money('wrap_charged') }} as wrap_charged,
            {{ sum_money('tax') }} as tax,
            {{ sum_money('goodwill') }} as goodwill
        from daily
        group by {{ period_start(grain, 'date_day') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

people as (
    {% for grain in grains -%}
        select
            '{{ grain }}' as period_grain,
            {{ period_start(grain, 'order_day') }} as period_start,
            count(distinct customer_id) as customers,
            {{ sum_count('case when is_first_order then 1 end') }} as new_customers
        from sale_orders
        group by {{ period_start(grain, 'order_day') }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

comparisons as (
    {% for grain in grains -%}
        select
            money.period_grain,
            money.period_start,
            {{ same_period_last_year(grain, 'money.period_start') }} as last_year_start,
            lag(money.net_merchandise) over (order by money.period_start) as previous_net_merchandise
        from money
        where money.period_grain = '{{ grain }}'
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
)

select
    money.period_grain,
    money.period_start,
    money.orders,
    coalesce(people.customers, 0) as customers,
    coalesce(people.new_customers, 0) as new_customers,
    coalesce(people.customers - people.new_customers, 0) as returning_customers,
    money.units,
    money.returned_units,
    money.gross_merchandise,
    money.order_discounts,
    money.points_redeemed_value,
    money.credited_discounts,
    money.discounts,
    money.returned_amount,
    money.net_merchandise,
    money.shipping_charged,
    money.shipping_refunded,
    money.wrap_charged,
    money.tax,
    money.goodwill,
    cast(
        {{ ratio('money.gross_merchandise - money.order_discounts - money.points_redeemed_value', 'money.orders') }}
        as decimal(18, 2)
    ) as average_order_value,
    comparisons.previous_net_merchandise,
    last_year.net_merchandise as same_period_last_year_net_merchandise
from money
inner join comparisons
    on
        money.period_grain = comparisons.period_grain
        and money.period_start = comparisons.period_start
left join people
    on
        money.period_grain = people.period_grain
        and money.period_start = people.period_start
left join money as last_year
    on
        comparisons.period_grain = last_year.period_grain
        and comparisons.last_year_start = last_year.period_start
