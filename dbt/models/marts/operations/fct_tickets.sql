select
    ticket_id,
    customer_id,
    order_id,
    category,
    priority,
    ticket_status as status,
    resolution_code,
    created_at,
    first_responded_at,
    resolved_at,
    closed_at,
    {{ hours_between('created_at', 'first_responded_at') }} as first_response_hours,
    {{ hours_between('created_at', 'resolved_at') }} as resolution_hours
from {{ ref('stg_tickets') }}
