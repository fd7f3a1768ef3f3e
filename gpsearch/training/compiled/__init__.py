"""A whole fold as one compiled program, which serves every fold and every model of one key."""
