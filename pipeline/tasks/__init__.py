"""One file a task: what is asked, and what the answer means. Pure: no I/O, no clock, no engine."""
