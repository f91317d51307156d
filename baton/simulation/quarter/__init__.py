"""A simulated quarter: three months of a company in memory, and whether what came out adds up."""
