"""How long a form takes on this machine. Candidates take turns, and a verdict says which ratios to believe."""
