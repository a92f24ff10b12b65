with standing as (
    select
        customer_id,
        wallet,
        point_state,
        step_day as from_day,
        coalesce(
            lead(step_day) over (partition by customer_id, wallet, point_state order by step_day),
            cast('9999-12-31' as date)
        ) as to_day,
        sum(points) over (partition by customer_id, wallet, point_state order by step_day) as points
    from {{ ref('int_point_steps') }}
),

-- A balance lies in the tier that its owner has; it leaves and enters tiers with them.
spans as (
    select
        standing.wallet,
        standing.point_state,
        tiers.loyalty_tier,
        greatest(standing.from_day, tiers.from_day) as from_day,
        least(standing.to_day, tiers.to_day) as to_day,
        standing.points
    from standing
    inner join {{ ref('int_tier_days') }} as tiers
        on
            standing.customer_id = tiers.customer_id
            and standing.from_day < tiers.to_day
            and standing.to_day > tiers.from_day
    where standing.points <> 0
),

changes as (
    select
        wallet,
        point_state,
        loyalty_tier,
        from_day as date_day,
        points,
        1 as customers
    from spans

    union all

    select
        wallet,
        point_state,
        loyalty_tier,
        to_day as date_day,
        -points as points,
        -1 as customers
    from spans
),

daily as (
    select
        wallet,
        point_state,
        loyalty_tier,
        date_day,
        sum(points) as points,
        sum(customers) as customers
    from changes
    group by 1, 2, 3, 4
),

-- Jobs move points after the last event of the trade as well: the days reach as far as the ledger does.
days as (
    select cast({{ spine('range_of_days.first_day', 'range_of_days.last_day', "'1 day'") }} as date) as date_day
    from (
        select
            min(steps.step_day) as first_day,
            greatest(max(steps.step_day), max(shop.last_day)) as last_day
        from {{ ref('int_point_steps') }} as steps
        cross join {{ ref('int_shop') }} as shop
        having min(steps.step_day) is not null
    ) as range_of_days
),

kinds as (
    select distinct
        wallet,
        point_state,
        loyalty_tier
    from daily
),

balances as (
    select
        days.date_day,
        kinds.wallet,
        kinds.point_state,
        kinds.loyalty_tier,
        sum(coalesce(daily.points, 0)) over running as points,
        sum(coalesce(daily.customers, 0)) over running as customers
    from days
    cross join kinds
    left join daily
        on
            days.date_day = daily.date_day
            and kinds.wallet = daily.wallet
            and kinds.point_state = daily.point_state
            and kinds.loyalty_tier = daily.loyalty_tier
    window running as (
        partition by kinds.wallet, kinds.point_state, kinds.loyalty_tier
        order by days.date_day
        rows between unbounded preceding and current row
    )
),

-- The rule in force at the end of a day; before the first version began, the first.
rules as (
    select
        programmes.value_per_point_amount,
        case
            when row_number() over (order by programmes.valid_from, programmes.version) = 1
                then cast('1970-01-01' as date)
            else {{ shop_day('programmes.valid_from', 'shop.time_zone') }}
        end as from_day,
        coalesce(
            lead({{ shop_day('programmes.valid_from', 'shop.time_zone') }})
                over (order by programmes.valid_from, programmes.version),
            cast('9999-12-31' as date)
        ) as to_day
    from {{ ref('stg_loyalty_programmes') }} as programmes
    cross join {{ ref('int_shop') }} as shop
),

first_days as (
    select min(date_day) as first_day
    from days
),

wallets as (
    select distinct wallet
    from kinds
),

-- Fates that were known before the ledger's own first day count on it.
fates as (
    select
        fates.wallet,
        greatest(fates.known_day, first_days.first_day) as known_day,
        sum(fates.matured_lots) as matured_lots,
        sum(fates.expired_points) as expired_points,
        sum(fates.used_points) as used_points
    from {{ ref('int_point_fates') }} as fates
    cross join first_days
    group by 1, 2
),

experience as (
    select
        days.date_day,
        wallets.wallet,
        sum(coalesce(fates.matured_lots, 0)) over running as matured_lots,
        sum(coalesce(fates.expired_points, 0)) over running as expired_points,
        sum(coalesce(fates.used_points, 0)) over running as used_points
    from days
    cross join wallets
    left join fates on days.date_day = fates.known_day and wallets.wallet = fates.wallet
    window running as (
        partition by wallets.wallet
        order by days.date_day
        rows between unbounded preceding and current row
    )
),

rates as (
    select
        date_day,
        wallet,
        matured_lots,
        case
            when matured_lots >= {{ var('breakage_min_lots') }}
                then coalesce({{ ratio('expired_points', '(expired_points + used_points)') }}, 0.0)
            else 0.0
        end as breakage_rate
    from experience
),

valued as (
    select
        balances.date_day,
        balances.point_state,
        balances.wallet,
        balances.loyalty_tier,
        cast(balances.customers as bigint) as customers,
        cast(balances.points as bigint) as points,
        case when balances.point_state = 'owed' then -1 else 1 end as side,
        coalesce(rules.value_per_point_amount, 0) as value_per_point,
        cast(rates.matured_lots as bigint) as matured_lots,
        case when balances.point_state = 'owed' then 0.0 else rates.breakage_rate end as breakage_rate
    from balances
    inner join rates on balances.date_day = rates.date_day and balances.wallet = rates.wallet
    left join rules on balances.date_day >= rules.from_day and balances.date_day < rules.to_day
),

rounded as (
    select
        *,
        cast(round(points * breakage_rate) as bigint) as expected_breakage_points
    from valued
)

select
    date_day,
    point_state as state,
    wallet,
    loyalty_tier,
    customers,
    points,
    points * side as balance_points,
    cast(value_per_point as decimal(18, 2)) as value_per_point,
    {{ as_money('points * side * value_per_point') }} as value_owed,
    matured_lots,
    breakage_rate,
    expected_breakage_points,
    {{ as_money('expected_breakage_points * value_per_point') }} as expected_breakage_amount,
    {{ as_money('(points * side - expected_breakage_points) * value_per_point') }} as expected_cost
from rounded
