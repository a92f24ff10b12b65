-- What left the shelf of a variant per day, up to `as_of`: sales less sales that never reached their buyer. Days
-- without a sale count as zero; a variant that is younger than the window is judged by the days it has been there.
with bounds as (
    select
        as_of,
        time_zone,
        as_of_day,
        as_of - interval {{ var('demand_days') }} day as demand_from
    from {{ ref('int_shop') }}
),

first_movements as (
    select
        variant_id,
        min(occurred_at) as first_moved_at
    from {{ ref('stg_stock_movements') }}
    group by variant_id
),

days as (
    select
        movements.variant_id,
        {{ shop_day('movements.occurred_at', 'bounds.time_zone') }} as demand_day,
        -sum(movements.quantity) as units
    from {{ ref('stg_stock_movements') }} as movements
    cross join bounds
    where
        movements.movement_kind in ('sale', 'cancellation')
        and movements.occurred_at > bounds.demand_from
        and movements.occurred_at <= bounds.as_of
    group by movements.variant_id, {{ shop_day('movements.occurred_at', 'bounds.time_zone') }}
),

sums as (
    select
        variant_id,
        sum(units) as units,
        sum(units * units) as squares
    from days
    group by variant_id
),

observed as (
    select
        first_movements.variant_id,
        least(
            cast({{ var('demand_days') }} as double),
            greatest(
                ceil({{ hours_between('first_movements.first_moved_at', 'bounds.as_of') }} / 24),
                1.0
            )
        ) as observed_days
    from first_movements
    cross join bounds
    where first_movements.first_moved_at <= bounds.as_of
),

moments as (
    select
        observed.variant_id,
        observed.observed_days,
        greatest(coalesce(sums.units, 0), 0) / observed.observed_days as daily_demand,
        case
            when observed.observed_days > 1
                then greatest(
                        coalesce(sums.squares, 0) - power(coalesce(sums.units, 0), 2) / observed.observed_days, 0
                    ) / (observed.observed_days - 1)
            else 0
        end as sample_variance
    from observed
    left join sums on observed.variant_id = sums.variant_id
)

-- Few days tell little about scatter: it is never taken for less than that of chance arrivals (Poisson).
select
    variant_id,
    cast(observed_days as double) as observed_days,
    cast(daily_demand as double) as daily_demand,
    sqrt(greatest(sample_variance, daily_demand)) as daily_deviation
from moments
