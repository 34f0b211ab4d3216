-- The studies that match $search, the best first. Fit 1: the id; 2: the name; 3: either, ignoring case; 4: the beginning
-- of either; 5: only similar.
with

studies as (
    select
        study_id,
        study_name,
        lower(study_id) as id_lower,
        lower(coalesce(study_name, study_id)) as name_lower,
        lower($search) as search_lower
    from marts.study_progress
),

compared as (
    select
        *,
        case
            when study_id = $search then 1
            when study_name = $search then 2
            when search_lower in (id_lower, name_lower) then 3
            when starts_with(id_lower, search_lower) or starts_with(name_lower, search_lower) then 4
            else 5
        end as fit,
        case
            when contains(name_lower, search_lower) then 1
            else greatest(jaro_winkler_similarity(id_lower, search_lower), jaro_winkler_similarity(name_lower, search_lower))
        end as likeness
    from studies
)

select
    study_id,
    study_name,
    fit
from compared
where (fit < 5 or likeness >= 0.75) and $search <> ''
order by fit, likeness desc, study_id
limit 21
