"""The best candidates of every item, from products in a rough number format."""
