"""The benchmarks behind `make bench`: promises about speed and size, each measured against a floor of the same run."""
