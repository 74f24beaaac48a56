"""Invoice files and the rate table: bytes of a stranger in, values of the domain or a reason out."""
