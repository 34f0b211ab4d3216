-- Lines of webhook files that could not be used, by reason and, if a status is unknown, by that status.
-- All: studyflow sql "from audit.rejected_lines"
--   reason | Reason | words: audit.rejected_lines.reason
--   value | Status | name: The status that is not in data/reference/participant_statuses.csv.
--   lines | Lines | number: Lines rejected for this reason, in all loaded files.
--   files | Files | number: Files with such lines.
with

lines as (
    select
        rejected_lines.reason,
        case rejected_lines.reason
            when 'unknown_status' then deliveries.status
            when 'unknown_prior_status' then deliveries.prior_status
        end as value,
        rejected_lines.source_file
    from audit.rejected_lines
    inner join raw.deliveries
        on
            rejected_lines.file_id = deliveries.file_id
            and rejected_lines.line_number = deliveries.line_number
            and rejected_lines.position = deliveries.position
)

select
    reason,
    value,
    count(*) as lines,
    count(distinct source_file) as files,
    cast(sum(count(*)) over () as bigint) as lines_in_all,
    cast(sum(count(*) filter (value is not null)) over () as bigint) as unknown_in_all,
    count(*) over () as of_all
from lines
group by reason, value
order by value is null, lines desc, reason, value
limit $rows
