"""Pages for administrators: accounts, tokens, triggers, and what stops and resumes cases and processes."""
