"""The machine image of the local cloud, and the artifacts that machines of every cloud need."""
