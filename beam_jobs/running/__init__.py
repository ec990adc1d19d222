"""Where and how a job runs: runners, progress, logs, interrupts, the closing table."""
