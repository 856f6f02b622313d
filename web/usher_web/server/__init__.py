"""The HTTP server: slow clients and open streams cost no thread (decisions/0038)."""

from .http_server import HttpServer, answer

__all__ = ["HttpServer", "answer"]
