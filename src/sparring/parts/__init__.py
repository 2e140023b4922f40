"""Parts: objectives, penalties, augmentation, conditioning, likelihoods, posteriors and networks; one file an idea."""
