select cast({{ spine('shop.first_day', 'shop.last_day', "'1 day'") }} as date) as date_day
from {{ ref('int_shop') }} as shop
