"""One self-contained HTML page of a report: tables, where every number comes from, costs, figures and the IDs.

`render.py` is the renderer `html`; the assets (`page.html`, `style.css` and the scripts) are put into the page.
"""
