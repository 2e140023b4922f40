"""The latent space of a trained generator: walks, arithmetic, directions, inversion."""
