-- Ties: equal recency, frequency or value never get different scores.
select 'recency' as figure
from {{ ref('customer_rfm') }}
group by recency_days
having min(r_score) <> max(r_score)

union all

select 'frequency' as figure
from {{ ref('customer_rfm') }}
group by frequency
having min(f_score) <> max(f_score)

union all

select 'monetary' as figure
from {{ ref('customer_rfm') }}
where frequency > 0
group by monetary
having min(m_score) <> max(m_score)
