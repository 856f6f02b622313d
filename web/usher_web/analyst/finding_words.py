"""Findings as the pages of the workbench show them: elements by their labels, settings by the words of the panel.

The gate writes for files: its messages name ids and attributes, which `usher check` shows as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from usher_engine.definitions import Finding, Package, element_labels

#: What the properties panel (`web/ui/src/workbench/describe*.js`) calls what stands in the file under these names.
PANEL_WORDS = {
    "isExecutable": "Can be run",
    "candidateGroups": "Group",
    "dueIn": "Due in",
    "resultVariable": "Name of the result",
    "calledDecisionId": "Decision table",
    "initialValues": "What the form begins with",
    "preScript": "Script before",
    "postScript": "Script after",
    "businessKey": "For the case about",
    "calledElement": "Called process",
    "startsAfter": "Starts by itself after",
}
#: Rules about the ids themselves.
_OF_IDS = frozenset({"unique-id", "reserved-id", "process-id"})
_QUOTED = re.compile(r"“([^“”]+)”")
_SETTING = re.compile(rf"“?\b({'|'.join(PANEL_WORDS)})\b”?")


def shown_findings(findings: Iterable[Finding], package: Package) -> list[dict[str, Any]]:
    """Return *findings* as JSON, each with a ``label`` for its element; empty for one about a whole file."""
    labels = element_labels(package)
    return [_shown(finding, labels) for finding in findings]


def labels_of(package: Package, elements: Iterable[str]) -> list[str]:
    """Return the labels of *elements*, in any file, each once and in order; an unknown id stays."""
    labels = {key: label for (_, key), label in element_labels(package).items()}
    return list(dict.fromkeys(labels.get(element, element) for element in elements))


def _shown(finding: Finding, labels: Mapping[tuple[str, str], str]) -> dict[str, Any]:
    label = labels.get((finding.file, finding.element), finding.element)
    return {**finding.to_json(), "label": label, "message": _message(finding, labels)}


def _message(finding: Finding, labels: Mapping[tuple[str, str], str]) -> str:
    if finding.rule in _OF_IDS:
        return finding.message

    def called(quoted: re.Match[str]) -> str:
        label = labels.get((finding.file, quoted[1]))
        if label is None:
            return quoted[0]
        return f"the {label[:1].lower()}{label[1:]}" if "“" in label else f"“{label}”"

    text = _SETTING.sub(lambda setting: f"“{PANEL_WORDS[setting[1]]}”", _QUOTED.sub(called, finding.message))
    return text[:1].upper() + text[1:]
