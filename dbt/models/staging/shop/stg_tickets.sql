select
    id as ticket_id,
    customer_id,
    order_id,
    category,
    priority,
    status as ticket_status,
    subject,
    assignee_id,
    resolution_code,
    created_at,
    first_responded_at,
    resolved_at,
    closed_at
from {{ source('raw', 'tickets') }}
