"""Models: what is kept of a game when training is over, behind one abstract class: generator, translator, classifier, autoencoder."""
