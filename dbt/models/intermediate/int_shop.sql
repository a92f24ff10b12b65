with profile as (
    select
        shop_name,
        base_currency,
        time_zone,
        created_at
    from {{ ref('stg_shop_profile') }}
),

-- What the shop's trade and its visitors did. Rows of set-up (a product, a staff member) are not events: an imported
-- history would otherwise be judged on the day of its import.
order_events as (
    select
        min(placed_at) as first_event_at,
        max(greatest(
            placed_at,
            coalesce(paid_at, placed_at),
            coalesce(delivered_at, placed_at),
            coalesce(cancelled_at, placed_at)
        )) as last_event_at
    from {{ ref('stg_orders') }}
),

return_events as (
    select
        min(processed_at) as first_event_at,
        max(processed_at) as last_event_at
    from {{ ref('stg_returns') }}
),

credit_events as (
    select
        min(occurred_at) as first_event_at,
        max(occurred_at) as last_event_at
    from {{ ref('stg_order_credits') }}
),

behaviour as (
    select max(server_time) as last_event_at
    from {{ ref('stg_behaviour_events') }}
),

movements as (
    select max(occurred_at) as last_event_at
    from {{ ref('stg_stock_movements') }}
),

-- Units that were called off, left, arrived or came back.
unit_moves as (
    select max(occurred_at) as last_event_at
    from {{ ref('stg_order_unit_moves') }}
),

bounds as (
    select
        min(events.first_event_at) as first_event_at,
        max(events.last_event_at) as last_event_at
    from (
        select
            first_event_at,
            last_event_at
        from order_events
        union all
        select
            first_event_at,
            last_event_at
        from return_events
        union all
        select
            first_event_at,
            last_event_at
        from credit_events
        union all
        select
            null as first_event_at,
            last_event_at
        from behaviour
        union all
        select
            null as first_event_at,
            last_event_at
        from movements
        union all
        select
            null as first_event_at,
            last_event_at
        from unit_moves
    ) as events
),

moments as (
    select
        profile.shop_name,
        profile.base_currency,
        profile.time_zone,
        coalesce(bounds.last_event_at, profile.created_at) as last_event_at,
        coalesce(bounds.first_event_at, profile.created_at) as first_event_at,
        {% if var('as_of') -%}
            cast('{{ var("as_of") }}' as timestamp)
        {%- else -%}
            coalesce(bounds.last_event_at, profile.created_at)
        {%- endif %} as as_of
    from profile
    cross join bounds
)

select
    shop_name,
    base_currency,
    time_zone,
    as_of,
    first_event_at,
    last_event_at,
    {{ shop_day('as_of', 'time_zone') }} as as_of_day,
    {{ shop_day('first_event_at', 'time_zone') }} as first_day,
    {{ shop_day('greatest(as_of, last_event_at)', 'time_zone') }} as last_day
from moments
