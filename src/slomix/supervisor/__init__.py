"""Runs the processes of a Procfile, restarts those that end, and prints their output."""
