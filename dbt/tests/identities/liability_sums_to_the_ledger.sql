-- On every day the points of all states are the ledger's entries up to the end of that day.
with booked as (
    select
        occurred_day,
        sum(points) as points
    from {{ ref('fct_points') }}
    group by occurred_day
),

days as (
    select
        date_day,
        sum(balance_points) as points
    from {{ ref('loyalty_liability') }}
    group by date_day
)

select
    days.date_day,
    days.points,
    sum(coalesce(booked.points, 0)) over (order by days.date_day) as booked_points
from days
left join booked on days.date_day = booked.occurred_day
qualify days.points <> sum(coalesce(booked.points, 0)) over (order by days.date_day)
