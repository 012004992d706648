"""What the product reaches on this machine, as ratios measured in one run."""
