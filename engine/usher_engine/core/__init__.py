"""What everything else is written in: errors, events, the state they make, JSON, limits. Imports nothing of ours."""
