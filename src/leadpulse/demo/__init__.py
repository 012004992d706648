"""A client that plays journeys: the demo, and the load of the benchmarks."""
