"""Evaluation: protocols with names that fix everything, and what comes of them. Where things are:

names       protocol (fd10k-pca-test), meaning and partners (each metric in words; kind says what of), choose and amounts (what a
            short name stands for)
a number    measure: protocol, two sides -> line (the result);  fitting (do the parts go together?), table (the metrics) with
            by_features, by_samples and by_pairs (one function a metric), which take and give what job describes;  others (what
            real samples and baselines get)
samples     sides (generated, real), bank (samples and their features), cache (features on the disk), drawn (made as saved)
`evaluate`  wish (what was asked) -> evaluate, step by step in hearing:  before (what was read): subject (whose samples), against
            (real ones), overlap (in both?), skipped;  closest (the sheet of near copies)
translators opposite (which pictures to translate, against what), translating (their outputs), baselines (what costs nothing)
results     line (compare, JSON) with row, figures (table), words (verdicts), documents (JSON, Markdown), book (RUN/evaluation)
training    stage (the data, split), judge (when), examiner (measures), goal (what --until says)
"""
