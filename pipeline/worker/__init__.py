"""One vantage at work: shards claimed, processes started, ranges run from lease to receipt."""
