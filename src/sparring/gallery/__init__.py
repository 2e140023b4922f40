"""A page of translated pictures with a slider between input, output and truth."""
