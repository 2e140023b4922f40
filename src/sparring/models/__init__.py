"""Models: the networks that are kept after training, behind one abstract class: generator, translator, classifier."""
