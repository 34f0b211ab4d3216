-- Earlier lines that load $load_id read again, each as many times as it was read again. They come from contents that no
-- file has any more (superseded, or in `missing_files`). Last lines that were loaded without newline (`open_lines`) were read
-- again, too. Among equal lines, these are removed first.
create or replace temp table replaced_lines as
with

contents_without_file as (
    select file_id from raw.files where is_superseded and lines > 0
    union
    select file_id from missing_files
),

lines as (
    select
        deliveries.file_id,
        deliveries.line_number,
        deliveries.position,
        deliveries.load_id = $load_id as is_new,
        open_lines.file_id is not null as is_open,
        hash(
            reason, event_type, participant_id, person_id, study_id, status, prior_status, updated_at,
            svix_id, received_at, line, line_bytes
        ) as content
    from raw.deliveries
    left join open_lines
        on deliveries.file_id = open_lines.file_id and deliveries.line_number = open_lines.line_number
    where
        deliveries.load_id = $load_id
        or open_lines.file_id is not null
        or deliveries.file_id in (select file_id from contents_without_file)
),

new_lines as (
    select content, count(*) as times
    from lines
    where is_new and content in (select content from lines where not is_new)
    group by content
)

select lines.file_id, lines.line_number, lines.position, lines.is_open
from lines
inner join new_lines
    on lines.content = new_lines.content
where not lines.is_new
qualify
    row_number() over (
        partition by lines.content order by lines.is_open desc, lines.file_id, lines.line_number, lines.position
    ) <= new_lines.times
