"""Numbers for monitoring in Prometheus' text format. Counts only: no names, no ids."""

from __future__ import annotations

from collections.abc import Mapping

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

#: (group of counts, metric, its type, label or none, help)
_METRICS = (
    ("tasks", "usher_tasks_open", "gauge", "", "User tasks that wait for a person."),
    ("instances", "usher_instances", "gauge", "status", "Cases by status."),
    ("jobs", "usher_jobs", "gauge", "state", "Jobs that are not done, by state."),
    ("faults", "usher_faults_total", "counter", "where", "Software faults met by this process; see its log."),
)


def prometheus(counts: Mapping[str, Mapping[str, int]]) -> str:
    """*counts* are those of `Engine.counts`, and the faults."""
    lines: list[str] = []
    for group, metric, kind, label, help_text in _METRICS:
        lines += [f"# HELP {metric} {help_text}", f"# TYPE {metric} {kind}"]
        for name, number in sorted(counts.get(group, {}).items()):
            lines.append(f'{metric}{{{label}="{name}"}} {number}' if label else f"{metric} {number}")
    return "\n".join(lines) + "\n"
