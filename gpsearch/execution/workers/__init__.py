"""Where trials run: in this process, in isolated worker processes, on other people's executors."""
