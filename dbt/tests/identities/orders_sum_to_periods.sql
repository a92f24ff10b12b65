-- Orders, returns and credits sum to every grain of the calendar: nothing falls between the days or counts twice.
with sources as (
    select
        (select count(*) from {{ ref('fct_orders') }} where is_sale) as orders,
        (
            select coalesce(sum(gross_merchandise), 0)
            from {{ ref('fct_orders') }}
            where is_sale
        ) as gross_merchandise,
        (
            select coalesce(sum(sold_merchandise), 0)
            from {{ ref('fct_orders') }}
            where is_sale
        )
        - (select coalesce(sum(returned_amount), 0) from {{ ref('fct_returned_lines') }})
        - (select coalesce(sum(amount), 0) from {{ ref('fct_credits') }} where kind = 'discount') as net_merchandise,
        (select count(distinct customer_id) from {{ ref('fct_orders') }} where is_sale) as new_customers
),

periods as (
    select
        period_grain,
        sum(orders) as orders,
        sum(gross_merchandise) as gross_merchandise,
        sum(net_merchandise) as net_merchandise,
        sum(new_customers) as new_customers
    from {{ ref('sales_by_period') }}
    group by period_grain
)

select periods.period_grain
from periods
cross join sources
where
    periods.orders <> sources.orders
    or periods.gross_merchandise <> sources.gross_merchandise
    or periods.net_merchandise <> sources.net_merchandise
    or periods.new_customers <> sources.new_customers
