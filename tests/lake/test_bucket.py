"""Unusable buckets, and puts whose replies are lost."""

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
    """A URL gives a bucket and a key, and its parts have the names of a path's parts."""
    location = ObjectPath.parse("s3://bucket/a/lake/") / "t" / "sweep=1" / "part-0.parquet"
    path = Path("a/lake/t/sweep=1/part-0.parquet")
    assert (location.bucket, location.key) == ("bucket", str(path))
    for name in ("name", "stem", "suffix"):
        assert getattr(location, name) == getattr(path, name)
    assert str(location.parent) == "s3://bucket/a/lake/t/sweep=1"
    assert store.at(str(location)) == location
    for text in ("s3://", "http://x/y"):
        with pytest.raises(InputError, match="is not a location of a lake"):
            ObjectPath.parse(text)


def test_no_keys(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request without keys is refused, and the missing environment variables are named."""
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(InputError, match="needs the environment variables AWS_SECRET_ACCESS_KEY"):
        ObjectPath.parse("s3://bucket/x").exists()


def test_not_outside_the_testbed(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where only testbeds are allowed, no request goes to a bucket on the Internet."""
    monkeypatch.setenv("CENSUS_ONLY_TESTBED", "1")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    with pytest.raises(GuardError, match="a request to an object store to s3.amazonaws.com is refused"):
        ObjectPath.parse("s3://bucket/x").exists()


def test_no_bucket(environment: str) -> None:
    """A missing bucket gives an error with its URL."""
    with pytest.raises((CensusError, FileNotFoundError), match="s3://nowhere/x"):
        ObjectPath.parse("s3://nowhere/x").put(b"")


def test_no_server(environment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer gives an error that names the remedy, after the retries have ended."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(remote, "RETRY_SECONDS", 1)
    with pytest.raises(
        CensusError, match=r"s3://lake/x: the object store failed; finished ranges are kept, run again with --resume"
    ):
        ObjectPath.parse("s3://lake/x").read()
    with pytest.raises(CensusError, match=r"s3://lake/x: the object store failed"):
        ObjectPath.parse("s3://lake/x").swap(b"", after=None)


def test_a_put_that_is_repeated_finds_its_own(environment: str) -> None:
    """A repeated conditional put succeeds if the object has its bytes already, and fails if the object has other bytes."""
    path = ObjectPath.parse(bucket.make(environment)) / "receipt"
    version = path.swap(b"ours", after=None)
    assert path.swap(b"ours", after=None) == version
    assert path.swap(b"theirs", after=None) is None
    later = path.swap(b"later", after=version)
    assert path.swap(b"later", after=version) == later


def test_cache(environment: str) -> None:
    """A copy is fetched once for each version of an object, and is kept in the cache folder under the object's name."""
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
    paths = SweepPaths(ObjectPath.parse(bucket.make(environment)), "trial")
    with before(environment) as network:
        monkeypatch.setenv("AWS_ENDPOINT_URL", network.url)
        remote._store.cache_clear()
        yield network, paths
    remote._store.cache_clear()


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "busy"])
def test_a_receipt_through_a_bad_network(bad: tuple[Proxy, SweepPaths], fault: str) -> None:
    """A receipt is written once, even if a put or its reply is lost or the server is busy; a second receipt is refused."""
    network, paths = bad
    network.faults = [("PUT", fault), ("PUT", fault)]
    assert receipts.put_receipt(paths, "000-000000", Receipt(answers=1))
    assert network.met == [fault, fault]
    network.faults = [("PUT", fault)]
    assert not receipts.put_receipt(paths, "000-000000", Receipt(answers=2))
    assert [receipt.answers for receipt in receipts.read_receipts(paths)] == [1]


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "busy"])
def test_a_lease_through_a_bad_network(bad: tuple[Proxy, SweepPaths], fault: str) -> None:
    """A lease is taken, renewed and given back although each put succeeds only at the second attempt."""
    network, paths = bad
    holder, other = Leases(paths), Leases(paths)
    for act in (lambda: holder.take("000-000000"), holder.renew, lambda: holder.drop("000-000000")):
        network.faults = [("PUT", fault)]
        act()
        holder.check()
        assert not network.faults
    network.faults = [("PUT", fault)]
    assert other.take("000-000000") and not holder.take("000-000000")


def test_a_lost_store_and_its_return(bad: tuple[Proxy, SweepPaths], monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that stays unreachable gives an error; the objects put before are there when the store returns."""
    network, paths = bad
    assert receipts.put_receipt(paths, "000-000000", Receipt(answers=1))
    monkeypatch.setattr(remote, "RETRY_SECONDS", 1)
    remote._store.cache_clear()
    network.faults = [("PUT", "lose_request")] * 50
    with pytest.raises(CensusError, match="the object store failed; finished ranges are kept, run again with --resume"):
        receipts.put_receipt(paths, "000-000001", Receipt(answers=2))
    network.faults = []
    assert receipts.finished(paths) == {"000-000000"}
    assert receipts.put_receipt(paths, "000-000001", Receipt(answers=2))
