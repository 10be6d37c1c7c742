"""Text and benchmark files in, Parquet out."""
