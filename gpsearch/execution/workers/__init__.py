"""Where trials run: in this process, in isolated worker processes, on executors of the user's."""
