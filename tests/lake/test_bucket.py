"""Buckets that cannot be used, and puts whose replies are lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.errors import CensusError, GuardError, InputError
from pipeline.lake import bucket as remote
from pipeline.lake import cache, receipts, store
from pipeline.lake.bucket import ObjectPath
from pipeline.lake.layout import SweepPaths
from pipeline.lake.leases import Leases
from pipeline.record.receipt import Receipt
from tests.lake import bucket
from tests.lake.proxy import Proxy, before


def test_names() -> None:
    """A URL is a bucket and a key, and its parts are called as a path's are."""
    place = ObjectPath.parse("s3://bucket/a/lake/") / "t" / "sweep=1" / "part-0.parquet"
    path = Path("a/lake/t/sweep=1/part-0.parquet")
    assert (place.bucket, place.key) == ("bucket", str(path))
    for name in ("name", "stem", "suffix"):
        assert getattr(place, name) == getattr(path, name)
    assert str(place.parent) == "s3://bucket/a/lake/t/sweep=1"
    assert store.at(str(place)) == place
    for text in ("s3://", "http://x/y"):
        with pytest.raises(InputError, match="is not a location of a lake"):
            ObjectPath.parse(text)


def test_no_keys(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without keys nobody is asked for them: the variables that are missing are named."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match="needs the environment variables AWS_SECRET_ACCESS_KEY"):
        ObjectPath.parse("s3://bucket/x").exists()


def test_not_outside_the_testbed(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only testbeds are allowed no bucket of the Internet is asked."""
    monkeypatch.setenv("CENSUS_ONLY_TESTBED", "1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(GuardError, match="a request to an object store to s3.amazonaws.com is refused"):
        ObjectPath.parse("s3://bucket/x").exists()


def test_no_bucket(environment: str) -> None:
    """A bucket that is not there is an error with its URL."""
    with pytest.raises((CensusError, FileNotFoundError), match="s3://nowhere/x"):
        ObjectPath.parse("s3://nowhere/x").put(b"")


def test_no_server(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer is an error that says what to do, after the repetitions are over."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(remote, "RETRY_SECONDS", 1)
    with pytest.raises(
        CensusError, match=r"s3://lake/x: the object store failed; finished ranges are kept, run again with --resume"
    ):
        ObjectPath.parse("s3://lake/x").read()
    with pytest.raises(CensusError, match=r"s3://lake/x: the object store failed"):
        ObjectPath.parse("s3://lake/x").swap(b"", after=None)


def test_a_put_that_is_repeated_finds_its_own(environment: str) -> None:
    """A conditional put whose reply was lost is not taken for somebody else's: same bytes, same writer."""
    path = ObjectPath.parse(bucket.make(environment)) / "receipt"
    version = path.swap(b"ours", after=None)
    assert path.swap(b"ours", after=None) == version
    assert path.swap(b"theirs", after=None) is None
    later = path.swap(b"later", after=version)
    assert path.swap(b"later", after=version) == later


def test_cache(environment: str) -> None:
    """A copy is fetched once for each version of an object, and lies in the cache folder under the object's name."""
    path = ObjectPath.parse(bucket.make(environment)) / "t" / "sweep=1" / "part-0.parquet"
    path.put(b"first")
    (file,) = store.files([path])
    assert file.is_relative_to(cache.folder()) and str(file).endswith("t/sweep=1/part-0.parquet")
    file.write_bytes(b"not fetched again")
    assert store.files([path]) == [file] and file.read_bytes() == b"not fetched again"
    path.put(b"second")
    assert store.files([path])[0].read_bytes() == b"second"
    with pytest.raises(FileNotFoundError, match="s3://"):
        store.files([path.parent / "none"])


@pytest.fixture
def bad(environment: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Proxy, SweepPaths]]:
    """A sweep in a bucket behind a bad network."""
    place = SweepPaths(ObjectPath.parse(bucket.make(environment)), "trial")
    with before(environment) as network:
        monkeypatch.setenv("AWS_ENDPOINT_URL", network.url)
        remote._store.cache_clear()
        yield network, place
    remote._store.cache_clear()


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "busy"])
def test_a_receipt_through_a_bad_network(bad: tuple[Proxy, SweepPaths], fault: str) -> None:
    """A receipt is given once, whether its put, the reply to it or the server's patience was lost; a second one is refused."""
    network, place = bad
    network.faults = [("PUT", fault), ("PUT", fault)]
    assert receipts.put_receipt(place, "000-000000", Receipt(answers=1))
    assert network.met == [fault, fault]
    network.faults = [("PUT", fault)]
    assert not receipts.put_receipt(place, "000-000000", Receipt(answers=2))
    assert [receipt.answers for receipt in receipts.read_receipts(place)] == [1]


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "busy"])
def test_a_lease_through_a_bad_network(bad: tuple[Proxy, SweepPaths], fault: str) -> None:
    """A lease is taken, renewed and given back though every put is answered only at the second try."""
    network, place = bad
    holder, other = Leases(place), Leases(place)
    for act in (lambda: holder.take("000-000000"), holder.renew, lambda: holder.drop("000-000000")):
        network.faults = [("PUT", fault)]
        act()
        holder.check()
        assert not network.faults
    network.faults = [("PUT", fault)]
    assert other.take("000-000000") and not holder.take("000-000000")


def test_a_lost_store_and_its_return(bad: tuple[Proxy, SweepPaths], monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is gone for long is an error, and what was put before is there when it is back."""
    network, place = bad
    assert receipts.put_receipt(place, "000-000000", Receipt(answers=1))
    monkeypatch.setattr(remote, "RETRY_SECONDS", 1)
    remote._store.cache_clear()
    network.faults = [("PUT", "lose_request")] * 50
    with pytest.raises(CensusError, match="the object store failed; finished ranges are kept, run again with --resume"):
        receipts.put_receipt(place, "000-000001", Receipt(answers=2))
    network.faults = []
    assert receipts.finished(place) == {"000-000000"}
    assert receipts.put_receipt(place, "000-000001", Receipt(answers=2))
