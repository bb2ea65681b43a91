"""What a person starts: the `pagemill` command, one module a command, and the job files it reads."""
