"""Why something did not happen: closed codes that are stored and compared; their texts are `REASON_TEXTS`."""
