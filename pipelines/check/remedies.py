"""What a broken rule means and what to do about it. These are for rules in YAML; rules in tests/dbt state their own."""

REBUILD = "The table differs from what the models compute from the loaded lines. Build it again: studyflow build"
OTHER_VERSION = "Another version of the models built this table. Build it again: studyflow build"
REPEATED = "The table has the same row more than once, so counts from it are too high. Build it again: studyflow build"
NEVER_NULL = "The models always fill this column, so the table was changed by hand. Build it again: studyflow build"
NOT_IN_REFERENCE = (
    "The table was built with other reference tables than those in the warehouse. Build it again: studyflow build"
)
WRONG_REFERENCE = (
    "Correct data/reference/participant_statuses.csv: each `stage` and `stage_without_incentives` must be a row of "
    "stages.csv, each `funnel_step` one of funnel_steps.csv. Then build again: studyflow build"
)
WRONG_CLOCK = (
    "A webhook has an impossible time. Find its line in raw.deliveries by the participant, correct or remove "
    "it in its file, then load and build again: studyflow run"
)
AFTER_AS_OF = "The table has rows later than its as-of time. Build it again: studyflow build"
TAMPERED = (
    "raw.deliveries differs from the lines that were read. Move the warehouse away and load everything again"
    ": studyflow run"
)
ASK_THE_SENDER = "Ask the sender to correct these lines."

REJECTED = {
    "invalid_json": "Not a JSON document in UTF-8. The line was cut off or is not a webhook. If it is a webhook, send it again.",
    "not_an_object": "JSON, but not an object. Write one webhook per line, or a batch of webhooks.",
    "missing_field": (
        f"A required field is missing, null or empty. {ASK_THE_SENDER} If the webhooks are inside other JSON, add a row for "
        "its shape to data/reference/delivery_shapes.csv; the next load accepts them."
    ),
    "invalid_type": f"A field that must be text has another type. {ASK_THE_SENDER}",
    "invalid_timestamp": "`updatedAt` is not an RFC 3339 time with an offset, so the time of the change is unknown.",
    "unknown_status": "Add the status to data/reference/participant_statuses.csv; the next run accepts the lines.",
    "unknown_prior_status": (
        "Add the prior status to data/reference/participant_statuses.csv; the next run accepts the lines."
    ),
}
REJECTED_DEFAULT = "These lines are in no other table."
