"""Pages for auditors: replay, the audit log, activity, evidence, exports, reports and retention."""
