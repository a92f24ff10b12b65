select
    id as click_id,
    affiliate_id,
    link_id,
    visitor_id,
    consent,
    clicked_at
from {{ source('raw', 'affiliate_clicks') }}
