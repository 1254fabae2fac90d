"""The lot of an experiment: half of the addresses, by key and address alone."""

from pipeline.notify.lot import waits

KEY, OTHER = "00" * 32, "11" * 32


def test_about_half_wait() -> None:
    """Of 10,000 neighbouring addresses about half wait, and another key draws independently: a quarter wait by both."""
    ips = range(0x14000000, 0x14000000 + 10_000)
    by_one, by_other = ({ip for ip in ips if waits(key, ip)} for key in (KEY, OTHER))
    assert 4800 < len(by_one) < 5200 and 4800 < len(by_other) < 5200
    assert 2300 < len(by_one & by_other) < 2700


def test_a_known_answer() -> None:
    """The lot is the first bit of HMAC-SHA256 (RFC 2104) over the four bytes of the address, as OpenSSL computes it too."""
    # printf '\\x14\\x00\\x00\\x01' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0000…00
    import subprocess

    for ip in (0x14000001, 0x14000002, 0xC0000207):
        command = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY}", "-r"]
        printed = subprocess.run(command, input=ip.to_bytes(4, "big"), capture_output=True, check=True).stdout
        assert waits(KEY, ip) == (int(printed[:2], 16) >= 0x80)
