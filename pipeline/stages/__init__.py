"""One file per stage of the line: `run(work)` does the next missing bit."""
