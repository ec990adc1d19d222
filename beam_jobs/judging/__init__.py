"""What jobs do besides their work where data is judged: gates, verdicts, alerts."""
