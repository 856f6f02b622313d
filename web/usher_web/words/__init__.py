"""Sentences people read: what cases, services, mails and audit events are called, and how moments and numbers look."""
