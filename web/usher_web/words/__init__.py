"""Sentences people read: labels of cases, services, mails and audit events, and formats of times and numbers."""
