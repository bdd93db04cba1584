"""Search among the items of near cells."""
