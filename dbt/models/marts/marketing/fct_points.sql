{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='entry_id',
    on_schema_change='fail',
    meta={'changed_table': 'point_entries'},
) }}

select
    entries.entry_id,
    entries.customer_id,
    entries.lot_id,
    entries.entry_kind as kind,
    entries.points,
    entries.reason,
    entries.occurred_at,
    lots.expires_at,
    entries.order_id
from {{ ref('stg_point_entries') }} as entries
left join {{ ref('stg_point_lots') }} as lots on entries.lot_id = lots.lot_id
{% if is_incremental() -%}
    -- An entry carries its lot's expiry.
    where
        entries.entry_id in ({{ changed_ids('point_entries') }})
        or entries.lot_id in ({{ changed_ids('point_lots') }})
{%- endif %}
