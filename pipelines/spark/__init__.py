"""What `dbt --target spark` reads: the raw tables and the reference files as Parquet."""
