-- What was sold from each shelf per whole UTC day before the day of `as_of`: the shop's own window, so that its reorder
-- suggestions can be told again. Days without a sale count as zero, a shelf that is younger than the window is judged
-- by the days it has been there, and what came back later was wanted all the same.
with bounds as (
    select
        cast(as_of as date) as until_day,
        cast(as_of as date) - {{ var('demand_days') }} as from_day
    from {{ ref('int_shop') }}
),

first_movements as (
    select
        variant_id,
        location_id,
        cast(min(occurred_at) as date) as first_day
    from {{ ref('stg_stock_movements') }}
    group by variant_id, location_id
),

days as (
    select
        movements.variant_id,
        movements.location_id,
        cast(movements.occurred_at as date) as demand_day,
        -sum(movements.quantity) as units
    from {{ ref('stg_stock_movements') }} as movements
    cross join bounds
    where
        movements.movement_kind = 'sale'
        and cast(movements.occurred_at as date) >= bounds.from_day
        and cast(movements.occurred_at as date) < bounds.until_day
    group by movements.variant_id, movements.location_id, cast(movements.occurred_at as date)
),

sums as (
    select
        variant_id,
        location_id,
        sum(units) as units,
        sum(units * units) as squares
    from days
    group by variant_id, location_id
),

observed as (
    select
        first_movements.variant_id,
        first_movements.location_id,
        greatest(
            cast(bounds.until_day - greatest(bounds.from_day, first_movements.first_day) as bigint), 0
        ) as demand_days,
        cast(coalesce(sums.units, 0) as bigint) as demand_units,
        cast(coalesce(sums.squares, 0) as bigint) as demand_squares
    from first_movements
    cross join bounds
    left join sums
        on first_movements.variant_id = sums.variant_id and first_movements.location_id = sums.location_id
)

select
    variant_id,
    location_id,
    demand_days,
    demand_units,
    demand_squares,
    case when demand_days > 0 then demand_units / cast(demand_days as double) else 0.0 end as daily_demand,
    case
        when demand_days > 1
            then greatest(
                    (demand_squares - cast(demand_units * demand_units as double) / demand_days) / (demand_days - 1),
                    0.0
                )
        else 0.0
    end as daily_variance
from observed
