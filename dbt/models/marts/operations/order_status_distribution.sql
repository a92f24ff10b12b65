with stays as (
    select
        stays.order_day,
        stays.status,
        stays.is_current,
        stays.total_amount,
        case
            when stays.status in ('delivered', 'cancelled', 'expired') then stays.closed_hours
            when stays.open_since is not null and stays.open_since <= shop.as_of
                then coalesce(stays.closed_hours, 0) + {{ hours_between('stays.open_since', 'shop.as_of') }}
            else stays.closed_hours
        end as hours_in_status
    from {{ ref('int_order_status_hours') }} as stays
    cross join {{ ref('int_shop') }} as shop
)

select
    order_day as date_day,
    status,
    {{ sum_count('case when is_current then 1 end') }} as orders,
    {{ sum_money('case when is_current then total_amount end') }} as amount,
    count(*) as orders_reached,
    cast(median(hours_in_status) as double) as median_hours_in_status
from stays
group by order_day, status
