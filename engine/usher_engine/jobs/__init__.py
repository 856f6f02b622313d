"""Carries out the effects that steps requested, outside their transactions, and reports the results as commands."""
