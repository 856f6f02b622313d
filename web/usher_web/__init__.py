"""The Flask application: parse, one engine call, render."""
