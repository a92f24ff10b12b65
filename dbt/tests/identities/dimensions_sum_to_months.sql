-- The values of every dimension sum to the month's figures.
with by_dimension as (
    select
        month_start,
        dimension,
        sum(units) as units,
        sum(gross_merchandise) as gross_merchandise,
        sum(net_merchandise) as net_merchandise
    from {{ ref('sales_by_dimension') }}
    group by month_start, dimension
)

select
    by_dimension.month_start,
    by_dimension.dimension
from by_dimension
left join {{ ref('sales_by_period') }} as months
    on by_dimension.month_start = months.period_start and months.period_grain = 'month'
where
    months.period_start is null
    or by_dimension.units <> months.units
    or by_dimension.gross_merchandise <> months.gross_merchandise
    or by_dimension.net_merchandise <> months.net_merchandise
