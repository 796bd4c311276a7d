"""What the JSON API takes and answers, written down by hand as OpenAPI 3.1."""
