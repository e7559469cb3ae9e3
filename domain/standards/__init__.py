"""Standards: what the house allows, promises and advises, as versioned documents."""
