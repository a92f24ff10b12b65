-- What cohorts brought is what their customers brought.
with cohorts as (
    select coalesce(sum(net_merchandise), 0) as net_merchandise
    from {{ ref('cohort_retention') }}
),

customers as (
    select coalesce(sum(monetary), 0) as net_merchandise
    from {{ ref('customer_rfm') }}
    where frequency > 0
)

select cohorts.net_merchandise
from cohorts
cross join customers
where cohorts.net_merchandise <> customers.net_merchandise
