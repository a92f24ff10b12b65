-- Orders, returns and credits sum to every grain of the calendar: nothing falls between the days or counts twice.
with sold as (
    select
        count(*) as orders,
        coalesce(sum(gross_merchandise), 0) as gross_merchandise,
        coalesce(sum(sold_merchandise), 0) as sold_merchandise,
        count(distinct customer_id) as new_customers
    from {{ ref('fct_orders') }}
    where is_sale
),

returned as (
    select coalesce(sum(returned_amount), 0) as amount
    from {{ ref('fct_returned_lines') }}
),

credited as (
    select coalesce(sum(amount), 0) as amount
    from {{ ref('int_credits') }}
    where kind = 'discount'
),

sources as (
    select
        sold.orders,
        sold.gross_merchandise,
        sold.new_customers,
        sold.sold_merchandise - returned.amount - credited.amount as net_merchandise
    from sold
    cross join returned
    cross join credited
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
