"""The human evaluation kit: a blinded page for judges of the IDs, and what their answers say (Table 13 of the paper).

The slides give accuracies alone (multiples of 1/80); the protocol here is the suite's own reading of them: judges see
items whose IDs begin with the same codes and say whether they belong together. Accuracy is the share of yes.
"""
