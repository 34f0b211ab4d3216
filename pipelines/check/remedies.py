"""What a broken rule means and what to do. Rules in tests/dbt say theirs in their head; these are of rules in YAML."""

REBUILD = "The table is not what the models make of the loaded lines. Build it again with: studyflow build"
OTHER_VERSION = "The table was made by another version of the models. Build it again with: studyflow build"
REPEATED = (
    "The table says the same thing more than once, so what is counted from it is too high. Build again: studyflow build"
)
NEVER_NULL = "The models never leave this empty, so the table was changed by hand. Build it again with: studyflow build"
NOT_IN_REFERENCE = (
    "The table was built with other reference tables than the warehouse has now. Build it again with: studyflow build"
)
WRONG_REFERENCE = (
    "Correct data/reference/participant_statuses.csv: each `stage` and `stage_without_incentives` must be a row of "
    "stages.csv, each `funnel_step` one of funnel_steps.csv. Then build again with: studyflow build"
)
WRONG_CLOCK = (
    "A webhook says a time that cannot be right. Find its line in raw.deliveries by the participant, correct or remove "
    "it in its file, then load and build again with: studyflow run"
)
AFTER_AS_OF = "The table has something later than its as-of. Build it again with: studyflow build"
TAMPERED = (
    "raw.deliveries does not have the lines that were read. Move the warehouse away and load everything again "
    "with: studyflow run"
)

REJECTED = {
    "invalid_json": "No JSON document in UTF-8. The line was cut off, or is no webhook; if it is one, send it again.",
    "not_an_object": "JSON, but not one object. Write one webhook a line, with nothing around it.",
    "missing_field": "A field that every status change has is missing, null or empty. Ask who writes these lines.",
    "invalid_type": "A field that must be text is something else. Ask who writes these lines.",
    "invalid_timestamp": "`updatedAt` is no RFC 3339 time with an offset, so when it happened is not known.",
    "unknown_status": "Add the status to data/reference/participant_statuses.csv; the next run takes the lines in.",
    "unknown_prior_status": (
        "Add the prior status to data/reference/participant_statuses.csv; the next run takes the lines in."
    ),
}
REJECTED_OTHERWISE = "These lines are in no table but this one."
