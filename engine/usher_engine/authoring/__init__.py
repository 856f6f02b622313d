"""How a process changes: drafts, deployments, backtests of a draft, and the pause of a version."""
