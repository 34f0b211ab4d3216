{#- The raw tables, made by `studyflow load` (which renders this very macro) and, so that dbt also works
    on an empty warehouse, at the start of every dbt run. -#}

{% macro duckdb__raw_tables() %}
create schema if not exists raw;

-- One row: the format of these tables. Those of before there was this one are known by what they lack.
create table if not exists raw.format as
select cast(
    case
        when count(*) = 0 then {{ warehouse_format() }}
        when count(*) filter (column_name = 'has_open_line') > 0 then 1
        else 2
    end as integer
) as format
from information_schema.columns
where table_schema = 'raw' and table_name = 'files';

-- One row per content a file has had: a file that is rewritten gets a new row.
create table if not exists raw.files (
    file_id integer not null,
    source_file varchar not null,
    is_superseded boolean not null,     -- no file has this content now; lines of it that did not come again are kept
    device hugeint,                     -- of a file on disk
    inode hugeint,
    etag varchar not null,              -- of an object, else empty
    disk_bytes bigint not null,         -- size when last read
    modified_ns bigint not null,        -- and when its content was changed
    changed_ns bigint not null,         -- and when anything of it was (ctime)
    read_ns bigint not null,            -- when it was last read
    compression varchar not null,       -- none, gzip, zstd
    next_offset bigint not null,        -- where the next read starts, in bytes of content
    next_line bigint not null,          -- and the number of the line there
    open_line_bytes bigint not null,    -- its length if it was taken without its newline (it is read again then), else 0
    pending_bytes bigint not null,      -- an unfinished last line that waits
    fingerprint varchar not null,       -- of the content that was taken: a digest for each mebibyte
    lines bigint not null,
    blank_lines bigint not null,
    first_load_id integer not null,
    last_load_id integer not null
);

-- One row per delivery: per line that is not blank or, where a line is a batch, per delivery in it.
create table if not exists raw.deliveries (
    file_id integer not null,
    line_number bigint not null,
    load_id integer not null,
    loaded_at timestamptz not null,
    reason varchar,                     -- why the line is no valid webhook; statuses are judged in staging, against the seed
    event_type varchar,
    participant_id varchar,
    person_id varchar,
    study_id varchar,
    status varchar,
    prior_status varchar,
    updated_at timestamptz,
    svix_id varchar,
    received_at timestamptz,
    line varchar,                       -- the whole line where it says more than the columns do, else null
    line_bytes blob,                    -- the same where it is not valid UTF-8
    position integer not null default 0, -- the place in the batch, from 1; 0 if the line is one delivery
    shape varchar                       -- the shapes around it, from the outside; null of a webhook alone or in an envelope
);

-- One row per load that changed something.
create table if not exists raw.loads (
    load_id integer not null,
    loaded_at timestamptz not null,
    shapes varchar                      -- a hash of delivery_shapes.csv as it was; null before there was that table
);

-- Participants of deliveries that a load took back, for who keeps tables that are not made anew by every build.
create table if not exists raw.withdrawals (
    load_id integer not null,
    participant_id varchar not null      -- '' for lines of no participant
);

-- One row per person who was forgotten, and per participant they were. No id is in it, only hashes of salt and id.
create table if not exists raw.forgotten (
    salt varchar not null,              -- the same in all rows
    person_hash varchar not null,       -- whose id it is
    kind varchar not null,              -- person or participant
    id_hash varchar not null,
    forgotten_at timestamptz not null
);

-- One row per delivery that is withheld, or was taken out, because it is of one of them. It is in no other count.
create table if not exists raw.forgotten_lines (
    file_id integer not null,
    line_number bigint not null,
    load_id integer not null,
    position integer not null default 0
);
{% endmacro %}

{#- A number that is one more whenever the raw tables become others; pipelines/migrations.py has the way there. -#}
{% macro warehouse_format() -%}6{%- endmacro %}

{#- dbt builds on raw tables of this format only: `studyflow` brings older ones to it, with a copy to fall back on. -#}
{% macro duckdb__refuse_other_format() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed'] -%}
        {%- set found = run_query('select format from raw.format').columns[0].values()[0] -%}
        {%- set ours = warehouse_format() | int -%}
        {%- if found != ours -%}
            {%- do exceptions.raise_compiler_error(
                target.path ~ ': ' ~ ('a later' if found > ours else 'an earlier')
                ~ ' version of studyflow made this warehouse. '
                ~ ('Install that version.' if found > ours else 'Bring it to this version: studyflow run')
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
