"""A citable data set of sealed sweeps: published marts as files, their descriptions, and a program that recomputes the report."""
