"""The commands of `census`: one file a group. Each parses its options, calls a step and prints what came back."""
