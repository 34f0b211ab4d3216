-- No two ids share a key.
-- Why: models join by 64-bit keys instead of ids. If two ids shared a key, two people would be counted as
-- one, unnoticed. That happens in one of 370,000 warehouses with ten million ids each.
-- Remedy: Numbers about these two ids are wrong. Report this to the authors of studyflow. Until they fix it,
-- remove the lines of one of the two ids from the raw files.
-- Key: kind, id_key
-- Rules of staging.stg_identities:
--   is_shared: no two ids share a key (one_id, another_id)
{%- set kinds = ['participant', 'person', 'study'] %}
with

identities as (
    select * from {{ ref('stg_identities') }}
),

ids as (
    {%- for kind in kinds %}
        select
            '{{ kind }}' as kind,
            {{ kind }}_key as id_key,
            {{ kind }}_id as id
        from identities
        {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- A second hash distinguishes the ids, because comparing millions of texts takes four times as long.
shared as (
    select
        kind,
        id_key
    from ids
    group by kind, id_key
    having min({{ id_key("concat('another ', id)") }}) <> max({{ id_key("concat('another ', id)") }})
)

select
    ids.kind,
    ids.id_key,
    min(ids.id) as one_id,
    max(ids.id) as another_id,
    true as is_shared
from ids
inner join shared
    on ids.kind = shared.kind and ids.id_key = shared.id_key
group by ids.kind, ids.id_key
