"""How long the product takes beside its peers, how that grows, and in how much memory."""
