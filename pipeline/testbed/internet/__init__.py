"""A simulated internet: any number of hosts in any address space, simulated by one process at the world's end of the pair.

    population → peers → responder → transmitter → serve

Hosts follow from the seed and the address alone. So the truth is known for every address, and hosts without a connection
take no memory.
"""
