-- Why: "every line accounted for" is the promise of the load. A line that no count has, or two have, is lost or doubled
-- without anybody noticing. Kept lines are compared too: all but blank ones, in every file.
with

files as (
    select * from {{ ref('load_files') }}
),

kept_by_file as (
    select
        file_id,
        count(*) as kept
    from {{ source('raw', 'deliveries') }}
    group by file_id
)

select
    coalesce(files.file_id, kept_by_file.file_id) as file_id,
    files.source_file,
    files.lines,
    files.blank,
    kept_by_file.kept
from files
full outer join kept_by_file
    on files.file_id = kept_by_file.file_id
where
    files.file_id is null
    or files.lines <> files.blank + files.accepted + files.other_events + files.rejected
    or files.accepted <> files.distinct_changes + files.repeated_deliveries
    or files.lines <> files.blank + coalesce(kept_by_file.kept, 0)
