"""The one place where things are wired: settings, database, use cases, processes."""
