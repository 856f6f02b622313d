"""Checks a process package before deployment and returns findings in plain words, never an exception."""

from ..definitions.lint_finding import Finding, Severity
from .gate import admit, check_package

__all__ = ["Finding", "Severity", "admit", "check_package"]
