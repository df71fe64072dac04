"""The HTTP edge: thin controllers, one home for errors, conditional requests and formats."""
