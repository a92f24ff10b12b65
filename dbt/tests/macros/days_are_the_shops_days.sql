-- Conversions of time: zone before truncation, summer time, the year before, whole days and months.
with facts as (
    select
        -- 18:29 and 18:30 UTC are the two sides of midnight in Kolkata.
        {{ shop_day("timestamp '2026-03-31 18:29:59'", "'Asia/Kolkata'") }} = date '2026-03-31' as before_midnight,
        {{ shop_day("timestamp '2026-03-31 18:30:00'", "'Asia/Kolkata'") }} = date '2026-04-01' as after_midnight,
        -- In summer London is an hour ahead of UTC, in winter it is not.
        {{ shop_day("timestamp '2010-06-30 23:30:00'", "'Europe/London'") }} = date '2010-07-01' as summer,
        {{ shop_day("timestamp '2010-12-31 23:30:00'", "'Europe/London'") }} = date '2010-12-31' as winter,
        {{ period_start('week', "date '2026-03-01'") }} = date '2026-02-23' as week_begins_on_monday,
        {{ period_start('quarter', "date '2026-03-01'") }} = date '2026-01-01' as quarter_begins,
        {{ same_period_last_year('day', "date '2024-02-29'") }} = date '2023-02-28' as leap_day,
        {{ same_period_last_year('week', "date '2026-02-23'") }} = date '2025-02-24' as week_on_week,
        {{ whole_days_between("timestamp '2026-01-01 12:00:00'", "timestamp '2026-01-03 11:59:59'") }} = 1
            as not_yet_two_days,
        {{ whole_days_between("cast(null as timestamp)", "timestamp '2026-01-03 11:59:59'") }} is null as no_days,
        {{ hours_between("timestamp '2026-01-01 12:00:00'", "timestamp '2026-01-01 13:30:00'") }} = 1.5 as hours,
        {{ months_between("date '2025-11-01'", "date '2026-02-01'") }} = 3 as months,
        (
            select count(*)
            from (
                select {{ spine("date '2026-02-27'", "date '2026-03-02'", "'1 day'") }} as step_start
            ) as steps
        ) = 4 as spine_holds_both_ends
)

select *
from facts
where
    not (
        before_midnight and after_midnight and summer and winter and week_begins_on_monday and quarter_begins
        and leap_day and week_on_week and not_yet_two_days and no_days and hours and months and spine_holds_both_ends
    )
