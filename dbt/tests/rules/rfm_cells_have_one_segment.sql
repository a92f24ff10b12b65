-- Every cell of recency, frequency and monetary scores maps to exactly one group.
with scores as (
    select unnest(generate_series(1, 5)) as score
),

cells as (
    select
        r.score as r_score,
        f.score as f_score,
        m.score as m_score
    from scores as r
    cross join scores as f
    cross join scores as m
)

select
    cells.r_score,
    cells.f_score,
    cells.m_score
from cells
left join {{ ref('rfm_segments') }} as segments
    on
        cells.r_score between segments.r_from and segments.r_to
        and cells.f_score between segments.f_from and segments.f_to
        and cells.m_score between segments.m_from and segments.m_to
group by cells.r_score, cells.f_score, cells.m_score
having count(segments.rfm_segment) <> 1
