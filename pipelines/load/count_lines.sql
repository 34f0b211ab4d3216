-- The numbers of lines and of blank lines in the files $file_ids. Withheld lines do not count. A batch counts if any of
-- its deliveries is kept. In a content that no file has any more, only kept lines count.
with

kept as (
    select file_id, count(*) filter (position = 0) + count(distinct line_number) filter (position > 0) as lines
    from raw.deliveries
    where file_id in (select unnest($file_ids))
    group by file_id
),

withheld as (
    select file_id, count(distinct line_number) as lines
    from raw.forgotten_lines
    anti join (select file_id, line_number from raw.deliveries where position > 0) as batches using (file_id, line_number)
    where file_id in (select unnest($file_ids))
    group by file_id
),

counted as (
    select
        files.file_id,
        coalesce(kept.lines, 0) as kept,
        case
            when files.is_superseded then coalesce(kept.lines, 0)
            else files.next_line - 1 + (files.open_line_bytes > 0)::integer - coalesce(withheld.lines, 0)
        end as lines
    from raw.files
    left join kept using (file_id)
    left join withheld using (file_id)
    where files.file_id in (select unnest($file_ids))
)

update raw.files
set
    lines = counted.lines,
    blank_lines = counted.lines - counted.kept
from counted
where files.file_id = counted.file_id
