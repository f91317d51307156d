"""Sources the gateway understands: one file each says what the bodies of a source mean."""
