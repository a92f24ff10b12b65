with ranked as (
    select
        customer_id,
        placed_at,
        order_day,
        sold_merchandise,
        row_number() over (partition by customer_id order by placed_at, order_id) as order_rank
    from {{ ref('int_customer_orders') }}
),

first_orders as (
    select
        ranked.customer_id,
        customers.acquisition_channel as channel,
        {{ period_start('month', 'ranked.order_day') }} as month_start,
        ranked.placed_at as first_order_at,
        ranked.sold_merchandise as first_order_amount,
        second_orders.placed_at as second_order_at,
        {{ whole_days_between('ranked.placed_at', 'shop.as_of') }} >= 90 as is_mature
    from ranked
    inner join {{ ref('dim_customers') }} as customers on ranked.customer_id = customers.customer_id
    cross join {{ ref('int_shop') }} as shop
    left join ranked as second_orders
        on ranked.customer_id = second_orders.customer_id and second_orders.order_rank = 2
    where ranked.order_rank = 1
),

months as (
    select distinct {{ period_start('month', 'days.date_day') }} as month_start
    from {{ ref('int_days') }} as days
    inner join {{ ref('int_shop') }} as shop on days.date_day <= shop.as_of_day
),

channels as (
    select distinct channel
    from first_orders
),

cells as (
    select
        months.month_start,
        channels.channel
    from months
    cross join channels
),

summed as (
    select
        month_start,
        channel,
        count(*) as new_customers,
        sum(first_order_amount) as first_order_amount,
        sum(case when is_mature then 1 else 0 end) as mature_customers,
        sum(
            case
                when is_mature and {{ whole_days_between('first_order_at', 'second_order_at') }} < 90 then 1
                else 0
            end
        ) as repeated
    from first_orders
    group by month_start, channel
)

select
    cells.month_start,
    cells.channel,
    coalesce(summed.new_customers, 0) as new_customers,
    {{ as_money('summed.first_order_amount') }} as first_order_amount,
    cast(coalesce(summed.mature_customers, 0) as bigint) as mature_customers,
    {{ ratio('summed.repeated', 'summed.mature_customers') }} as repeat_rate_90d
from cells
left join summed on cells.month_start = summed.month_start and cells.channel = summed.channel
