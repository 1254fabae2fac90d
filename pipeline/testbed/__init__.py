"""A closed, simulated Internet: two network namespaces, real DICOM servers and decoys on simulated addresses, and the ground truth."""
