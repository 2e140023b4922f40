"""Recipes, one file a paper: the parts, the numbers, the citation, and what to expect. The names and
descriptions need no torch.
"""

RECIPE_DESCRIPTIONS: dict[str, str] = {
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
    "ae": "an autoencoder: to a code and back (Hinton & Salakhutdinov 2006)",
    "dae": "an autoencoder that mends what was damaged (Vincent et al. 2008)",
    "vae": "a variational autoencoder: a likelihood instead of a judge (Kingma & Welling 2014)",
    "beta_vae": "the same with KL weighing more (Higgins et al. 2017)",
    "iwae": "the same with importance weights (Burda et al. 2016)",
    "svae": "the same with codes on a sphere (Davidson et al. 2018)",
    "vae_gan": "a VAE that compares images by a discriminator's features (Larsen et al. 2016)",
    "two_stage_vae": "a second VAE learns the codes of the first (Dai & Wipf 2019)",
    "cvae": "a VAE that is told the labels, and can tell them (Sohn et al. 2015)",
    "naive_bayes": "every pixel by itself, in each class: counted in one pass (Ng & Jordan 2001)",
    "logistic": "logistic regression, its discriminative partner: tells classes, has no samples (Cox 1958)",
    "pix2pix": "from images to their partners, learned from pairs (Isola et al. 2017)",
    "cyclegan": "between two sets of images and back, without pairs (Zhu et al. 2017)",
    "cut": "from one set of images to another, one way, without pairs (Park et al. 2020)",
}

RECIPE_PAIRING: dict[str, str] = {  # recipes for two domains of images, and whether they want partners
    "pix2pix": "paired",
    "cyclegan": "unpaired",
    "cut": "unpaired",
}
