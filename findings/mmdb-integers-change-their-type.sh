#!/bin/bash
# mmdb-writer 0.2.7 and maxminddb 3.2.0 (PyPI), maxmind 5.0.7 (npm).
# The writer picks an integer's type for each value, not for each field: 2^30 is stored as uint32, 2^32 as uint64. Python's reader
# does not show it. JavaScript's reader gives a uint64 as a BigInt and all smaller ones as numbers, so in one database one field
# is now this, now that: a sum over two records, and JSON of a record, fail as soon as the first large value appears, which a
# test with small figures does not show. With int_type="u64" a field is always a BigInt, but then also an AS number, and
# record.asn === 64500 is false. Keep figures below 2^32 (int_type="u32" refuses larger ones), or write large ones as text.
# Seen: auto: addresses number and bigint, sum TypeError, JSON TypeError, asn === 64500 true;
#       u64: addresses bigint and bigint, sum 5368709120, JSON TypeError, asn === 64500 false; u32: refused, ValueError;
#       python: auto int and int, u64 int and int
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check mmdb-writer==0.2.7 maxminddb==3.2.0
npm install --silent --no-audit --no-fund --prefix "$work" maxmind@5.0.7 >/dev/null
cat >"$work/write.py" <<'PY'
import sys
import maxminddb
from mmdb_writer import MMDBWriter
from netaddr import IPSet

for kind in ("auto", "u64", "u32"):
    writer = MMDBWriter(4, "Networks", languages=["en"], description="networks", int_type=kind)
    try:
        writer.insert_network(IPSet(["192.0.2.0/25"]), {"asn": 64500, "addresses": 2**30})
        writer.insert_network(IPSet(["192.0.2.128/25"]), {"asn": 64501, "addresses": 2**32})
        writer.to_db_file(f"{sys.argv[1]}/{kind}.mmdb")
    except ValueError:
        print(f"{kind}: refused, ValueError")
        continue
    with maxminddb.open_database(f"{sys.argv[1]}/{kind}.mmdb") as database:
        figures = [database.get(address)["addresses"] for address in ("192.0.2.1", "192.0.2.200")]
        print(f"python: {kind}", " and ".join(type(figure).__name__ for figure in figures))
PY
cat >"$work/read.js" <<'JS'
const maxmind = require("maxmind");
const attempt = (action) => {
  try {
    return action();
  } catch (error) {
    return error.name;
  }
};
(async () => {
  for (const kind of ["auto", "u64"]) {
    const reader = await maxmind.open(`${__dirname}/${kind}.mmdb`);
    const [small, large] = ["192.0.2.1", "192.0.2.200"].map((address) => reader.get(address));
    console.log(`${kind}: addresses ${typeof small.addresses} and ${typeof large.addresses},`,
      `sum ${attempt(() => small.addresses + large.addresses)}, JSON ${attempt(() => JSON.stringify(large))},`,
      `asn === 64500 ${small.asn === 64500}`);
  }
})();
JS
seen=$("$work/venv/bin/python" "$work/write.py" "$work" && node "$work/read.js")
echo "$seen"
[ "$seen" = "python: auto int and int
python: u64 int and int
u32: refused, ValueError
auto: addresses number and bigint, sum TypeError, JSON TypeError, asn === 64500 true
u64: addresses bigint and bigint, sum 5368709120, JSON TypeError, asn === 64500 false" ]
