"""Evaluation: protocols with names that fix everything, and what comes of them. Where things are:

names       protocol (fd10k-pca-test), meaning (each metric in words), choose (what a short name stands for)
a number    measure: protocol, two sides -> line (the result);  fitting (do the parts go together?), table (the metrics) with
            by_features and by_samples (one function a metric), which take and give what job describes
samples     sides (generated, real), bank (samples and their features), cache (features on the disk), drawn (made as saved)
`evaluate`  wish (what was asked) -> evaluate, step by step in hearing:  subject (whose samples), against (real ones),
            overlap (in both?), closest (the sheet of near copies)
results     line (compare, JSON), words (table and verdicts), documents (JSON, Markdown), book (RUN/evaluation)
training    stage (the data, split), judge (when), examiner (measures), goal (what --until says)
"""
