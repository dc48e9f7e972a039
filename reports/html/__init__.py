"""One self-contained HTML page of a report: tables, where every number comes from, costs, figures and the IDs.

`render.py` is the renderer `html`, `site.py` the renderer `site`, a folder of such pages. The assets (templates,
`style.css` and the scripts) are put into each page.
"""
