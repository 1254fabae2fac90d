"""Host names of addresses by reverse DNS, forward-confirmed: a name counts only if it resolves back to the address."""
