"""Bytes on the wire: what we may send, how a reply is decoded, and what a reply that is not DICOM looks like."""
