"""The life of a case: commands, the steps they write, results of jobs, messages, searches. Read `commands` first."""
