select
    id as behaviour_event_id,
    event_id,
    anonymous_id,
    customer_id,
    session_id,
    type as event_type,
    product_id,
    properties,
    is_bot,
    consent_version,
    client_time,
    server_time
from {{ source('raw', 'behaviour_events') }}
