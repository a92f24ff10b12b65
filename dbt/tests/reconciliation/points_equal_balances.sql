-- The points ledger closes for every customer: Σ entries = active + pending − owed, and the lots with what was taken
-- from them give the same active, pending and owed as the balance that the shop answers with.
with entries as (
    select
        customer_id,
        sum(points) as points
    from {{ ref('fct_points') }}
    group by customer_id
),

states as (
    select
        customer_id,
        sum(case when point_state = 'active' then points else 0 end) as active,
        sum(case when point_state = 'pending' then points else 0 end) as pending,
        sum(case when point_state = 'owed' then points else 0 end) as owed
    from {{ ref('int_point_steps') }}
    group by customer_id
),

ids as (
    select customer_id from entries
    union
    select customer_id from states
    union
    select customer_id from {{ ref('stg_point_balances') }}
)

select
    ids.customer_id,
    entries.points,
    balances.active,
    states.active as active_in_lots,
    balances.pending,
    states.pending as pending_in_lots,
    balances.owed,
    states.owed as owed_by_entries
from ids
left join entries on ids.customer_id = entries.customer_id
left join states on ids.customer_id = states.customer_id
left join {{ ref('stg_point_balances') }} as balances on ids.customer_id = balances.customer_id
where
    coalesce(entries.points, 0)
    <> coalesce(balances.active, 0) + coalesce(balances.pending, 0) - coalesce(balances.owed, 0)
    or coalesce(states.active, 0) <> coalesce(balances.active, 0)
    or coalesce(states.pending, 0) <> coalesce(balances.pending, 0)
    or coalesce(states.owed, 0) <> coalesce(balances.owed, 0)
