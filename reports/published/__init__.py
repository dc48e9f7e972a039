"""Published values of others beside ours, one table per data set; the values are in a TOML file per quoted table here.

    name, document, table       how rows are named, where the values are printed, and which table of it is quoted
    read, checked               what the values were compared with; false: not with the document itself
    task, metrics               what the values measure
    evaluation, differs         how they were scored, and what keeps ours from being compared with any of them
    [[rows]] name               of the method, as printed
             method, preset     ours of the same method, and the preset that follows its protocol ('published')
             differs            what keeps ours from being compared with this row
             values             data set -> values, in the order of the metrics; "-" where none is printed

One method has different values in different tables ("TIGER": R@10 from 0.0610 to 0.0775), so a row names both.
"""

from benchmark.reports.published.beside import PublishedTable

BEAUTY = PublishedTable.of("beauty", "Amazon Beauty: published values beside ours", "recommendation")
SPORTS = PublishedTable.of("sports", "Amazon Sports: published values beside ours", "recommendation")
TOYS = PublishedTable.of("toys", "Amazon Toys: published values beside ours", "recommendation")
NQ320K = PublishedTable.of("nq320k", "NQ320k: published values beside ours", "search")
