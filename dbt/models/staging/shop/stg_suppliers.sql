select
    id as supplier_id,
    code as supplier_code,
    name as supplier_name,
    is_active,
    created_at
from {{ source('raw', 'suppliers') }}
