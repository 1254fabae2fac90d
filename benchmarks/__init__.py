"""Speed, compared with other programs and the machine's limit, always as ratios measured in one run: `make bench`."""
