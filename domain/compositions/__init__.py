"""Commands made of several moves; a layer above them."""
