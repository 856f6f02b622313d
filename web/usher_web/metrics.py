"""Numbers for monitoring in Prometheus' text format. Counts only; no name, no id."""

from __future__ import annotations

from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: (group of the engine's counts, metric, label or none, help)
_METRICS = (
    ("tasks", "usher_tasks_open", "", "User tasks that wait for a person."),
    ("instances", "usher_instances", "status", "Cases by status."),
    ("jobs", "usher_jobs", "state", "Jobs that are not done, by state."),
)


def prometheus(counts: Mapping[str, Mapping[str, int]]) -> str:
    """*counts* are `Engine.counts`."""
    lines: list[str] = []
    for group, metric, label, help_text in _METRICS:
        lines += [f"# HELP {metric} {help_text}", f"# TYPE {metric} gauge"]
        for name, number in sorted(counts.get(group, {}).items()):
            lines.append(f'{metric}{{{label}="{name}"}} {number}' if label else f"{metric} {number}")
    return "\n".join(lines) + "\n"
