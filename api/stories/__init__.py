"""The customers of the demo: a small house with a shop, a café, a kitchen, a workshop and a delivery van."""
