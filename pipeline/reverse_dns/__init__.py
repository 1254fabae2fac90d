"""Host names of addresses by reverse DNS, each confirmed by asking where the name leads."""
