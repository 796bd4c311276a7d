"""`python -m slomix` is the console script."""

from slomix.cli import main

main()
