with bounds as (
    select
        {{ period_start('year', 'first_day') }} as first_day,
        cast({{ period_start('year', 'last_day') }} + interval 1 year - interval 1 day as date) as last_day
    from {{ ref('int_shop') }}
),

days as (
    select cast({{ spine('bounds.first_day', 'bounds.last_day', "'1 day'") }} as date) as date_day
    from bounds
),

named_holidays as (
    select
        holiday_date,
        holiday || ' (' || region || ')' as holiday
    from {{ ref('shopping_holidays') }}
),

holidays as (
    select
        holiday_date,
        {{ joined_text('holiday', "'; '", 'holiday') }} as holiday
    from named_holidays
    group by holiday_date
)

select
    days.date_day,
    {{ period_start('week', 'days.date_day') }} as week_start,
    {{ period_start('month', 'days.date_day') }} as month_start,
    {{ period_start('quarter', 'days.date_day') }} as quarter_start,
    cast(extract(year from days.date_day) as integer) as year,
    extract(isodow from days.date_day) >= 6 as is_weekend,
    holidays.holiday
from days
left join holidays on days.date_day = holidays.holiday_date
