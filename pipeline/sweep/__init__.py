"""The steps of a sweep as plain functions: what the commands and the flows call. None of them knows Prefect."""
