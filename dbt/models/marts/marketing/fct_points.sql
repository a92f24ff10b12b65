{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='entry_id',
    on_schema_change='fail',
    meta={'changed_table': 'point_entries'},
) }}

-- A redemption may take from lots of both wallets; what it took says from which.
with wallets_taken as (
    select
        consumptions.entry_id,
        case when min(lots.wallet) = max(lots.wallet) then min(lots.wallet) else 'several' end as wallet
    from {{ ref('stg_point_consumptions') }} as consumptions
    inner join {{ ref('stg_point_lots') }} as lots on consumptions.lot_id = lots.lot_id
    group by consumptions.entry_id
)

select
    entries.entry_id,
    entries.customer_id,
    entries.lot_id,
    entries.entry_kind as kind,
    coalesce(entries.wallet, lots.wallet, wallets_taken.wallet) as wallet,
    lots.lot_source,
    entries.points,
    entries.qualifying_points,
    case
        when entries.actor like 'customer:%' or entries.actor = 'user:' || customers.user_id then 'customer'
        when entries.actor = 'staff' or entries.actor like 'user:%' then 'staff'
        else 'system'
    end as actor_kind,
    entries.reason,
    entries.occurred_at,
    {{ shop_day('entries.occurred_at', 'shop.time_zone') }} as occurred_day,
    lots.expires_at,
    entries.order_id
from {{ ref('stg_point_entries') }} as entries
cross join {{ ref('int_shop') }} as shop
left join {{ ref('stg_point_lots') }} as lots on entries.lot_id = lots.lot_id
left join {{ ref('stg_customers') }} as customers on entries.customer_id = customers.customer_id
left join wallets_taken on entries.entry_id = wallets_taken.entry_id
{% if is_incremental() -%}
    -- An entry carries its lot's expiry, the wallets that it took from, and whether its owner did it.
    where
        entries.entry_id in ({{ changed_ids('point_entries') }})
        or entries.lot_id in ({{ changed_ids('point_lots') }})
        or entries.customer_id in ({{ touched_ids('customers') }})
        or entries.entry_id in (
            select touched.entry_id
            from {{ ref('stg_point_consumptions') }} as touched
            where touched.consumption_id in ({{ touched_ids('point_consumptions') }})
        )
        or {{ some_vanished('point_consumptions') }}
{%- endif %}
