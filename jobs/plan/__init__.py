"""`pagemill plan`: what a job will read, ask and cost, from the listing and a sample that is really looked at; no model is asked."""
