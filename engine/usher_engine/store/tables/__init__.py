"""Every table of the engine: columns, types, and the triggers that keep some of them append-only."""
