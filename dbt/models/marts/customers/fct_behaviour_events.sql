{{ config(
    materialized='incremental',
    incremental_strategy='replace_changed',
    unique_key='behaviour_event_id',
    on_schema_change='fail',
    meta={'changed_table': 'behaviour_events'},
) }}

select
    events.behaviour_event_id,
    events.event_id,
    events.anonymous_id,
    -- What a visitor did before they were known belongs to the customer they turned out to be.
    coalesce(events.customer_id, identities.customer_id) as customer_id,
    events.session_id,
    events.event_type as kind,
    events.product_id,
    events.properties,
    events.is_bot,
    events.client_time,
    events.server_time as occurred_at,
    {{ shop_day('events.server_time', 'shop.time_zone') }} as event_day
from {{ ref('stg_behaviour_events') }} as events
cross join {{ ref('int_shop') }} as shop
left join {{ ref('stg_visitor_identities') }} as identities on events.anonymous_id = identities.anonymous_id
{% if is_incremental() -%}
    where
        events.behaviour_event_id in ({{ changed_ids('behaviour_events') }})
        or identities.identity_id in ({{ changed_ids('visitor_identities') }})
        or {{ some_vanished('visitor_identities') }}
{%- endif %}
