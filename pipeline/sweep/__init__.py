"""The steps of a sweep as plain functions: the commands and the flows call them. None of them imports Prefect."""
