"""The HTTP API for programs, its description, and how it reads and writes JSON."""
