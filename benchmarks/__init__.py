"""How fast, beside others and beside the machine's limit, always as ratios measured in one run: `make bench`."""
