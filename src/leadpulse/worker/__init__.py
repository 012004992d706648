"""The scorer, the due-time passes and the scheduled jobs."""
