{#- The raw tables. `studyflow load` renders this macro to create them. dbt also creates them at the start of every run,
    so that it works on an empty warehouse. -#}

{% macro duckdb__raw_tables() %}
create schema if not exists raw;

-- One row: the format of the raw tables. Formats 1 and 2 did not have this table and are recognised by their columns.
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

-- One row per content that a file has had. A file that is rewritten gets a new row.
create table if not exists raw.files (
    file_id integer not null,
    source_file varchar not null,
    is_superseded boolean not null,     -- no file has this content any more; its lines are kept unless they came again
    device hugeint,                     -- files on disk only
    inode hugeint,
    etag varchar not null,              -- objects only, else empty
    disk_bytes bigint not null,         -- size when last read
    modified_ns bigint not null,        -- mtime when last read
    changed_ns bigint not null,         -- ctime when last read
    read_ns bigint not null,            -- time of the last read
    compression varchar not null,       -- none, gzip, zstd
    next_offset bigint not null,        -- where the next read starts, in bytes of uncompressed content
    next_line bigint not null,          -- the line number there
    open_line_bytes bigint not null,    -- length of a last line that was loaded without newline and is read again; else 0
    pending_bytes bigint not null,      -- length of a partial last line that has not been loaded
    fingerprint varchar not null,       -- of the content that was read: a digest for each mebibyte
    lines bigint not null,
    blank_lines bigint not null,
    first_load_id integer not null,
    last_load_id integer not null
);

-- One row per delivery: for each line that is not blank or, if a line is a batch, for each delivery in it.
create table if not exists raw.deliveries (
    file_id integer not null,
    line_number bigint not null,
    load_id integer not null,
    loaded_at timestamptz not null,
    reason varchar,                     -- why the line was rejected, else null; staging checks statuses
    event_type varchar,
    participant_id varchar,
    person_id varchar,
    study_id varchar,
    status varchar,
    prior_status varchar,
    updated_at timestamptz,
    svix_id varchar,
    received_at timestamptz,
    line varchar,                       -- the whole line if it has more than the columns, else null
    line_bytes blob,                    -- the whole line if it is not valid UTF-8, else null
    position integer not null default 0, -- the position in the batch, from 1; 0 if the line is not a batch
    shape varchar                       -- the shapes around it, outermost first; null for a bare or enveloped webhook
);

-- One row per load that changed something.
create table if not exists raw.loads (
    load_id integer not null,
    loaded_at timestamptz not null,
    shapes varchar                      -- the hash of delivery_shapes.csv at that time; null in older versions
);

-- Participants of deliveries that a load withdrew, so that incremental builds recompute them.
create table if not exists raw.withdrawals (
    load_id integer not null,
    participant_id varchar not null      -- '' for lines without a participant
);

-- One row per forgotten person, participant of theirs and email address of theirs in people.csv. It has only hashes.
create table if not exists raw.forgotten (
    salt varchar not null,              -- the same in all rows
    person_hash varchar not null,       -- the person the row is about
    kind varchar not null,              -- person; or participant, also for an email address
    id_hash varchar not null,
    forgotten_at timestamptz not null
);

-- One row per delivery that was withheld or removed because it is about a forgotten person. No other table counts it.
create table if not exists raw.forgotten_lines (
    file_id integer not null,
    line_number bigint not null,
    load_id integer not null,
    position integer not null default 0
);
{% endmacro %}

{#- The format of the raw tables, incremented whenever they change. pipelines/migrations.py upgrades older
    warehouses. -#}
{% macro warehouse_format() -%}6{%- endmacro %}

{#- Stops dbt if the raw tables have another format. Only `studyflow` upgrades them, because it works on a copy. -#}
{% macro duckdb__refuse_other_format() %}
    {%- if execute and flags.WHICH in ['build', 'run', 'seed'] -%}
        {%- set found = run_query('select format from raw.format').columns[0].values()[0] -%}
        {%- set ours = warehouse_format() | int -%}
        {%- if found != ours -%}
            {%- do exceptions.raise_compiler_error(
                target.path ~ ': ' ~ ('a later' if found > ours else 'an earlier')
                ~ ' version of studyflow made this warehouse. '
                ~ ('Install that version.' if found > ours else 'Upgrade it: studyflow run')
            ) -%}
        {%- endif -%}
    {%- endif -%}
{% endmacro %}
