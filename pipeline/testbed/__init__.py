"""A closed, simulated Internet: two network namespaces, real DICOM servers and decoys on played addresses, and the truth."""
