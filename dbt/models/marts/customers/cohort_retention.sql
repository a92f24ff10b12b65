with cohorts as (
    select
        customer_id,
        {{ period_start('month', 'first_order_day') }} as cohort_month
    from {{ ref('int_customer_sales') }}
    where orders > 0
),

movements as (
    select
        customer_id,
        {{ period_start('month', 'order_day') }} as activity_month,
        1 as orders,
        sold_merchandise as amount
    from {{ ref('int_customer_orders') }}
    union all
    select
        customer_id,
        {{ period_start('month', 'reduction_day') }} as activity_month,
        0 as orders,
        -amount as amount
    from {{ ref('int_customer_reductions') }}
),

-- A return of something bought before the recorded history counts in the cohort's first month.
activity as (
    select
        cohorts.cohort_month,
        greatest({{ months_between('cohorts.cohort_month', 'movements.activity_month') }}, 0) as months_since,
        count(distinct case when movements.orders > 0 then movements.customer_id end) as active_customers,
        sum(movements.amount) as net_merchandise
    from movements
    inner join cohorts on movements.customer_id = cohorts.customer_id
    group by
        cohorts.cohort_month,
        greatest({{ months_between('cohorts.cohort_month', 'movements.activity_month') }}, 0)
),

months as (
    select distinct {{ period_start('month', 'days.date_day') }} as month_start
    from {{ ref('int_days') }} as days
    inner join {{ ref('int_shop') }} as shop on days.date_day <= shop.as_of_day
),

cells as (
    select
        sizes.cohort_month,
        sizes.customers,
        {{ months_between('sizes.cohort_month', 'months.month_start') }} as months_since,
        months.month_start
    from (
        select
            cohort_month,
            count(*) as customers
        from cohorts
        group by cohort_month
    ) as sizes
    inner join months on sizes.cohort_month <= months.month_start
)

select
    cells.cohort_month,
    cells.months_since,
    cells.customers,
    coalesce(activity.active_customers, 0) as active_customers,
    {{ ratio('coalesce(activity.active_customers, 0)', 'cells.customers') }} as retention_rate,
    {{ as_money('activity.net_merchandise') }} as net_merchandise,
    cast(
        sum(coalesce(activity.net_merchandise, 0)) over (
            partition by cells.cohort_month
            order by cells.months_since
            rows between unbounded preceding and current row
        ) as decimal(18, 2)
    ) as cumulative_net_merchandise,
    -- The month is over: it can be compared with other cohorts.
    cells.month_start < {{ period_start('month', 'shop.as_of_day') }} as is_complete
from cells
cross join {{ ref('int_shop') }} as shop
left join activity
    on cells.cohort_month = activity.cohort_month and cells.months_since = activity.months_since
