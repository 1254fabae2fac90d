"""The lake: a folder of Parquet files and receipts, whole or not at all."""
