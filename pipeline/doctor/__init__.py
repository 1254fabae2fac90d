"""What a lab should know before a sweep: checks of this machine, its network, the lake and the data, each with what to do."""
