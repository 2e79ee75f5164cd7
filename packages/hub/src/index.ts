// Filled in by this package's first commit.
