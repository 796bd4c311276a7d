"""The fault matrix: many evenings, each with something that goes wrong, counted at the provider."""
