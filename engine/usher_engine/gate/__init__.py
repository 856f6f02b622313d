"""Checks a process package before deployment and returns findings in plain words, never an exception."""

from ..definitions.lint_finding import Finding, Severity
from .gate import Checked, admit, check_draft, check_package

__all__ = ["Checked", "Finding", "Severity", "admit", "check_draft", "check_package"]
