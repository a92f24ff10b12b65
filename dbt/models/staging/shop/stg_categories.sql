select
    id as category_id,
    parent_id as parent_category_id,
    slug,
    name as category_name,
    position
from {{ source('raw', 'categories') }}
