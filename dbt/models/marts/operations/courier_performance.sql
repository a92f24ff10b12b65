with parcels as (
    select
        {{ period_start('month', 'shipped_day') }} as month_start,
        courier,
        status,
        is_late,
        is_rto,
        is_finished,
        hours_to_hand_over,
        hours_to_deliver,
        quoted_amount,
        predicted_cost_amount,
        amount
    from {{ ref('fct_shipments') }}
    where kind = 'forward' and shipped_day is not null
),

counted as (
    select
        month_start,
        courier,
        count(*) as parcels,
        {{ sum_count("case when status = 'delivered' then 1 end") }} as delivered,
        {{ sum_count('case when is_late is not null then 1 end') }} as promised,
        {{ sum_count('case when is_late then 1 end') }} as late,
        {{ sum_count('case when is_rto then 1 end') }} as rto,
        {{ sum_count("case when status in ('lost', 'damaged') then 1 end") }} as lost_or_damaged,
        {{ sum_count('case when not is_finished then 1 end') }} as under_way,
        {{ sum_count("case when is_rto or status in ('delivered', 'lost', 'damaged') then 1 end") }} as decided,
        cast(median(hours_to_hand_over) as double) as median_hours_to_hand_over,
        cast(median(hours_to_deliver) as double) as median_hours_to_deliver,
        {{ sum_money('quoted_amount') }} as quoted_amount,
        {{ sum_money('case when amount is not null then predicted_cost_amount end') }} as predicted_cost_amount,
        {{ sum_money('amount') }} as cost_amount
    from parcels
    group by month_start, courier
)

select
    month_start,
    courier,
    parcels,
    delivered,
    promised,
    late,
    rto,
    lost_or_damaged,
    under_way,
    decided,
    {{ ratio('late', 'promised') }} as late_rate,
    {{ ratio('rto', 'decided') }} as rto_rate,
    median_hours_to_hand_over,
    median_hours_to_deliver,
    quoted_amount,
    predicted_cost_amount,
    cost_amount
from counted
