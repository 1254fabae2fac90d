"""Who scans, published for the networks that are scanned: an opt-out page and probing.txt (RFC 9511)."""
