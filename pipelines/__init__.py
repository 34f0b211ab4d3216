"""studyflow: Rally UXR participant webhooks into stage tables, with DuckDB and dbt."""
