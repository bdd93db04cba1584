"""Dagster assets: thin steps between storage and ``epoxy_core``."""
