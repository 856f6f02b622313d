"""Carries out what steps asked for, outside their transactions, and reports back as commands."""
