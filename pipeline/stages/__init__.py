"""What each process of a worker runs. The stages know nothing of each other: values go in and out through channels."""
