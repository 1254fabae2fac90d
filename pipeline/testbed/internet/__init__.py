"""A simulated internet: any number of hosts in any address space, played by one process at the world's end of the pair.

    population → behaviour → responder → serve

Who stands where follows from the seed and the address alone, so the truth is known for every address and nothing is stored of
hosts that nobody talks with.
"""
