"""Run the processes of a Procfile, restart those that end, and print what they say."""
