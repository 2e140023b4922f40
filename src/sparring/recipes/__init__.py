"""One file a paper: the parts and the numbers, the citation, and what to expect. The names need no torch."""

NAMES: dict[str, str] = {
    "auto": "picks and sizes the fastest well-behaved recipe for the data and the machine (the default)",
    "gan": "the original: multilayer perceptrons, dropout, maxout (Goodfellow et al. 2014)",
    "cgan": "conditional: both players are told the label (Mirza & Osindero 2014)",
    "dcgan": "convolutional networks with batch normalisation (Radford et al. 2015)",
    "improved": "label smoothing, minibatch discrimination, historical averaging (Salimans et al. 2016)",
    "acgan": "an auxiliary classifier in the discriminator (Odena et al. 2017)",
    "lsgan": "least squares instead of cross-entropy (Mao et al. 2017)",
    "wgan": "the earth mover's distance, by clipping weights (Arjovsky et al. 2017)",
    "wgan_gp": "the same by a gradient penalty (Gulrajani et al. 2017)",
    "dragan": "a gradient penalty round the data (Kodali et al. 2017)",
    "sngan": "spectral normalisation, residual networks, hinge (Miyato et al. 2018)",
    "pacgan": "the discriminator judges packs of samples (Lin et al. 2018)",
    "r3gan": "relativistic loss with R1 and R2, no tricks (Huang et al. 2024)",
}
