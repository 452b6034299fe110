"""Who is there and who types: states and what is to be told of them. Pure."""
