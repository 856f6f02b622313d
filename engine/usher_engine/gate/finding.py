"""What the gate says; the type stands in `definitions`, since reading a foreign file finds things too."""

from usher_engine.definitions import Finding, Severity

__all__ = ["Finding", "Severity"]
