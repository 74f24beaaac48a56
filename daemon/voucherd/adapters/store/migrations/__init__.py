"""The schema's history, one step a file; a fresh store runs through all of them."""
