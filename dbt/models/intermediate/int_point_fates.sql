-- What became of points whose time is up, by the day on which it was known: used or expired. A lot is asked from the
-- day on which it expires, never before: lots are used early and expire late, so a young shop would look free of
-- expiry. Points that came back (restored, reinstated) start anew in a lot of their own and leave their old fate.
with taken as (
    select
        lots.wallet,
        lots.expires_at,
        consumptions.occurred_at,
        consumptions.points,
        entries.entry_kind
    from {{ ref('stg_point_consumptions') }} as consumptions
    inner join {{ ref('stg_point_lots') }} as lots on consumptions.lot_id = lots.lot_id
    inner join {{ ref('stg_point_entries') }} as entries on consumptions.entry_id = entries.entry_id
    where entries.entry_kind in ('expire', 'hold', 'release')
),

came_back as (
    select
        parents.wallet,
        parents.expires_at,
        lots.earned_at as occurred_at,
        lots.amount as points,
        lots.lot_source
    from {{ ref('stg_point_lots') }} as lots
    inner join {{ ref('stg_point_lots') }} as parents on lots.restored_from_id = parents.lot_id
    where lots.lot_source in ('restore', 'reinstatement')
),

fates as (
    select
        wallet,
        expires_at as known_at,
        1 as matured_lots,
        0 as expired_points,
        0 as used_points
    from {{ ref('stg_point_lots') }}

    union all

    select
        wallet,
        greatest(expires_at, occurred_at) as known_at,
        0 as matured_lots,
        case when entry_kind = 'expire' then points else 0 end as expired_points,
        case when entry_kind = 'expire' then 0 else points end as used_points
    from taken

    union all

    select
        wallet,
        greatest(expires_at, occurred_at) as known_at,
        0 as matured_lots,
        case when lot_source = 'reinstatement' then -points else 0 end as expired_points,
        case when lot_source = 'restore' then -points else 0 end as used_points
    from came_back
)

select
    fates.wallet,
    {{ shop_day('fates.known_at', 'shop.time_zone') }} as known_day,
    {{ sum_count('fates.matured_lots') }} as matured_lots,
    {{ sum_count('fates.expired_points') }} as expired_points,
    {{ sum_count('fates.used_points') }} as used_points
from fates
cross join {{ ref('int_shop') }} as shop
group by 1, 2
