"""`pagemill evaluate`: what a run read, held against labels; and which resolution, prompt and checkpoint suit one's documents."""
