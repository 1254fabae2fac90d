"""Hand-overs to CERTs and owners of networks: whom the lab tells of which services, in which formats, encrypted to whom."""
