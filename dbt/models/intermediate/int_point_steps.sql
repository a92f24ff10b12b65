-- What happened to a customer's points, by wallet and state (active, pending, owed): the balance of a state at any
-- time is the sum of its steps until then. A lot that never had to wait has no entry `activate`; it is active from its
-- birth.
with activations as (
    select
        lot_id,
        min(occurred_at) as active_at
    from {{ ref('stg_point_entries') }}
    where entry_kind = 'activate'
    group by lot_id
),

lots as (
    select
        lots.lot_id,
        lots.customer_id,
        lots.wallet,
        lots.amount,
        lots.earned_at,
        coalesce(
            activations.active_at,
            case
                when lots.lot_state in ('active', 'spent', 'expired') or lots.available_at <= lots.earned_at
                    then lots.earned_at
            end
        ) as active_at
    from {{ ref('stg_point_lots') }} as lots
    left join activations on lots.lot_id = activations.lot_id
),

-- What was taken at the very moment of the activation was taken from active points: activations come first.
taken as (
    select
        consumptions.lot_id,
        consumptions.entry_id,
        consumptions.points,
        consumptions.occurred_at,
        coalesce(consumptions.occurred_at >= lots.active_at, false) as is_from_active
    from {{ ref('stg_point_consumptions') }} as consumptions
    inner join lots on consumptions.lot_id = lots.lot_id
),

taken_while_pending as (
    select
        lot_id,
        sum(points) as points
    from taken
    where not is_from_active
    group by lot_id
),

reversals as (
    select
        entries.entry_id,
        entries.customer_id,
        coalesce(entries.wallet, lots.wallet, 'earned') as wallet,
        -entries.points as points,
        entries.occurred_at
    from {{ ref('stg_point_entries') }} as entries
    left join lots on entries.lot_id = lots.lot_id
    where entries.entry_kind = 'reverse' and entries.points <> 0
),

-- Becoming active takes points from one state into the other.
sides as (
    select
        'active' as point_state,
        1 as direction
    union all
    select
        'pending' as point_state,
        -1 as direction
),

steps as (
    select
        customer_id,
        wallet,
        case when active_at <= earned_at then 'active' else 'pending' end as point_state,
        earned_at as occurred_at,
        amount as points
    from lots

    union all

    select
        lots.customer_id,
        lots.wallet,
        sides.point_state,
        lots.active_at as occurred_at,
        sides.direction * (lots.amount - coalesce(taken_while_pending.points, 0)) as points
    from lots
    left join taken_while_pending on lots.lot_id = taken_while_pending.lot_id
    cross join sides
    where lots.active_at > lots.earned_at

    union all

    select
        lots.customer_id,
        lots.wallet,
        case when taken.is_from_active then 'active' else 'pending' end as point_state,
        taken.occurred_at,
        -taken.points as points
    from taken
    inner join lots on taken.lot_id = lots.lot_id

    union all

    -- A reversal is owed until lots pay for it; mostly they do so at once.
    select
        customer_id,
        wallet,
        'owed' as point_state,
        occurred_at,
        points
    from reversals

    union all

    select
        reversals.customer_id,
        reversals.wallet,
        'owed' as point_state,
        taken.occurred_at,
        -taken.points as points
    from taken
    inner join reversals on taken.entry_id = reversals.entry_id
)

select
    steps.customer_id,
    steps.wallet,
    steps.point_state,
    {{ shop_day('steps.occurred_at', 'shop.time_zone') }} as step_day,
    cast(sum(steps.points) as bigint) as points
from steps
cross join {{ ref('int_shop') }} as shop
group by all
having sum(steps.points) <> 0
