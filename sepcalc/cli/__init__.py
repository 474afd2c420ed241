"""The command line. A command reads flags, calls the library once and prints the result."""
