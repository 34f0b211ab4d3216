"""Load and build on Spark, with all tables as Parquet files."""
