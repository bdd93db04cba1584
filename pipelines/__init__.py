"""Dagster wiring: definitions, jobs, staleness, and the command line on top."""
