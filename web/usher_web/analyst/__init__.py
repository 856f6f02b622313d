"""The workbench: drafts and their editors, comparison, try-out, deployment, backtests and migrations."""
