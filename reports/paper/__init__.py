"""The tables of the paper, each declared in a TOML file here: rows, columns, the runs that fill them, published values.

Source: Jin et al., Language Models as Semantic Indexers, ICML 2024; the values are those printed on its slides. Every
method with results stands in every table; the paper's rows are those with a published value.
"""

from benchmark.reports.paper.data_sets import DataSets
from benchmark.reports.paper.human import HumanEvaluation
from benchmark.reports.paper.paper_table import PaperTable

DATA_SETS = DataSets("data-sets", "Data sets of the paper")
TABLE1 = PaperTable("table1", "Table 1: ID quality (AMI)")
TABLE2 = PaperTable("table2", "Table 2: ablation of the commitment loss")
TABLE3 = PaperTable("table3", "Table 3: next-item recommendation")
TABLE4 = PaperTable("table4", "Table 4: product search")
TABLE5 = PaperTable("table5", "Table 5: layers of the reconstructor")
TABLE6 = PaperTable("table6", "Table 6: document retrieval")
TABLE13 = HumanEvaluation("table13", "Table 13: human evaluation of the IDs")
