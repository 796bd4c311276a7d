"""The code broken on purpose, one line at a time, and the tests that must notice: `make mutations`."""
