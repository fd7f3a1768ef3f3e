"""When a trial stops before its last fold, and when a search stops before its last trial."""
