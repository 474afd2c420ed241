"""Tables as pictures. A chart is made of tables and of nothing else."""
