"""Checks a process package before deployment and returns findings in plain words, never an exception."""

from ..definitions.lint_finding import Finding, Severity
from .gate import Checked, admit, check_draft, check_package
from .recent_checks import RecentChecks

__all__ = ["Checked", "Finding", "RecentChecks", "Severity", "admit", "check_draft", "check_package"]
