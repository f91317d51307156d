"""The durable projection: reads the public topics, writes rows and the next offsets in one
transaction, and can be built anew."""
