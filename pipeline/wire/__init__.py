"""Bytes on the wire: what we may send, how a reply is decoded, and how a reply that is not DICOM is recognised."""
