"""Recipes, one file per paper: the parts, the hyper-parameters, the citation, and what to expect. The names and descriptions
need no torch.
"""

RECIPE_DESCRIPTIONS: dict[str, str] = {
    "auto": "picks and sizes the fastest well-behaved recipe for the data and the machine (the default)",
    "gan": "the original: multilayer perceptrons, dropout, maxout (Goodfellow et al. 2014)",
    "cgan": "conditional on labels in both networks (Mirza & Osindero 2014)",
    "dcgan": "convolutional networks with batch normalisation (Radford et al. 2015)",
    "improved": "label smoothing, minibatch discrimination, historical averaging (Salimans et al. 2016)",
    "acgan": "an auxiliary classifier in the discriminator (Odena et al. 2017)",
    "lsgan": "least squares instead of cross-entropy (Mao et al. 2017)",
    "wgan": "the earth mover's distance, by clipping weights (Arjovsky et al. 2017)",
    "wgan_gp": "the earth mover's distance, by a gradient penalty (Gulrajani et al. 2017)",
    "dragan": "a gradient penalty around the data (Kodali et al. 2017)",
    "sngan": "spectral normalisation, residual networks, hinge (Miyato et al. 2018)",
    "pacgan": "the discriminator classifies packs of samples (Lin et al. 2018)",
    "r3gan": "relativistic loss with R1 and R2, no tricks (Huang et al. 2024)",
    "ae": "an autoencoder: to a code and back (Hinton & Salakhutdinov 2006)",
    "dae": "a denoising autoencoder: corrupted input, clean output (Vincent et al. 2008)",
    "vae": "a variational autoencoder: a likelihood instead of a discriminator (Kingma & Welling 2014)",
    "beta_vae": "a VAE with a larger weight on KL (Higgins et al. 2017)",
    "iwae": "a VAE with importance weights (Burda et al. 2016)",
    "svae": "a VAE with codes on a sphere (Davidson et al. 2018)",
    "vae_gan": "a VAE that compares images by a discriminator's features (Larsen et al. 2016)",
    "two_stage_vae": "a second VAE learns the codes of the first (Dai & Wipf 2019)",
    "cvae": "a VAE conditional on labels, which also classifies (Sohn et al. 2015)",
    "naive_bayes": "independent pixels given the class, fitted in one pass (Ng & Jordan 2001)",
    "logistic": "logistic regression, a classifier without samples (Cox 1958)",
    "pix2pix": "image-to-image translation learned from pairs (Isola et al. 2017)",
    "cyclegan": "translation between two unpaired sets of images, both ways (Zhu et al. 2017)",
    "cut": "translation between two unpaired sets of images, one way (Park et al. 2020)",
}

RECIPE_PAIRING: dict[str, str] = {  # recipes for two domains of images, and whether they need pairs
    "pix2pix": "paired",
    "cyclegan": "unpaired",
    "cut": "unpaired",
}
