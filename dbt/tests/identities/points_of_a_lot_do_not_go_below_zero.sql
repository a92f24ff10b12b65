-- No lot gives more points than came into it.
select lot_id
from {{ ref('fct_points') }}
where lot_id is not null
group by lot_id
having sum(points) < 0
