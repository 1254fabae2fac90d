"""Worked examples on a lake, as a notebook of marimo.

marimo edit docs/worked_examples.py -- --lake LAKE [--series NAME]
"""

import marimo

app = marimo.App(width="medium", app_title="DICOM census: worked examples")


@app.cell
def _():
    import altair as alt
    import marimo as mo

    from pipeline.views import connect

    return alt, connect, mo


@app.cell
def _(mo):
    lake = mo.cli_args().get("lake") or "lake"
    return (lake,)


@app.cell
def _(connect, lake):
    con = connect(lake)
    return (con,)


@app.cell
def _(con, mo):
    ((_newest,),) = con.sql("SELECT any_value(name) FROM sweeps WHERE sweep = latest()").fetchall()
    name = mo.cli_args().get("series") or _newest
    return (name,)


@app.cell
def _(lake, mo, name):
    mo.md(f"""
    # Worked examples

    Every table and view of `{lake}` is ready under its name. `docs/views.md` has their columns and joins. The examples are
    about the series *{name}*: `latest('{name}')` is its newest sweep.
    """)
    return


@app.cell
def _(con, mo, name):
    countries = con.sql(
        f"""
        SELECT
            country_name(country) AS country, iso3, region, services, accepting,
            wilson_low(accepting, services) AS low, wilson_high(accepting, services) AS high, per_million
        FROM countries
        LEFT JOIN country_names USING (country)
        WHERE sweep = latest('{name}') AND services > 0
        ORDER BY services DESC, country
        """
    ).pl()
    mo.vstack([mo.md("## Services of each country, and who accepts an unknown client"), countries])
    return (countries,)


@app.cell
def _(alt, countries, mo):
    bars = alt.Chart(countries.drop_nulls("country"))
    share = bars.transform_calculate(share="datum.accepting / datum.services").encode(
        y=alt.Y("country:N", title=None, sort=None)
    )
    accepted = share.mark_point(filled=True).encode(
        x=alt.X("share:Q", title="share that accepts", axis=alt.Axis(format="%"))
    )
    chart = share.mark_rule().encode(x="low:Q", x2="high:Q") + accepted
    mo.vstack([mo.md("The bars are Wilson's 95 % intervals: what so few services say."), chart])
    return (chart,)


@app.cell
def _(con, mo, name):
    trend = con.sql(
        f"FROM trend JOIN series('{name}') USING (sweep, position) SELECT position, sweep, services, accepting ORDER BY position"
    ).pl()
    mo.vstack([mo.md("## The sweeps that may be compared"), trend])
    return (trend,)


@app.cell
def _(con, mo, name):
    changes = con.sql(
        f"""
        SELECT country_name(country) AS country, stayed, new, returned, missing, gone
        FROM changes
        WHERE sweep = latest('{name}')
        ORDER BY stayed DESC, country
        """
    ).pl()
    mo.vstack([mo.md("## Since the sweep before. One absence may be loss"), changes])
    return (changes,)


@app.cell
def _(con, mo, name):
    kinds = con.sql(
        f"""
        SELECT network_kind, sum(services) AS services, sum(addresses) AS addresses, sum(addresses_probed) AS addresses_probed,
            1e6 * sum(addresses) / sum(addresses_probed) AS per_million
        FROM network_kinds
        WHERE sweep = latest('{name}')
        GROUP BY network_kind
        ORDER BY services DESC, network_kind
        """
    ).pl()
    mo.vstack([mo.md("## Kinds of network, by their holders' names"), kinds])
    return (kinds,)


@app.cell
def _(con, mo, name):
    missed = con.sql(
        f"""
        SELECT sweep, seen_second, seen_twice, 1 - detection AS missed, 1 - detection_high AS low, 1 - detection_low AS high
        FROM loss
        WHERE sweep IN (SELECT sweep FROM series('{name}'))
        ORDER BY sweep
        """
    ).pl()
    mo.vstack([mo.md("## What a sweep misses, by its own second SYNs"), missed])
    return (missed,)


@app.cell
def _(con, mo):
    import polars as pl

    hospitals = pl.DataFrame({"country": ["DE", "GB", "US"], "hospitals": [1874, 1148, 6120]})
    con.register("hospitals", hospitals.to_arrow())
    joined = con.sql(
        """
        SELECT country_name(country) AS country, services, hospitals, services / hospitals AS per_hospital
        FROM countries JOIN hospitals USING (country)
        WHERE sweep = latest()
        ORDER BY country
        """
    ).pl()
    mo.vstack([mo.md("## Beside a table of one's own (the numbers of hospitals are made up)"), joined])
    return (joined,)


if __name__ == "__main__":
    app.run()
