"""Recipes, one file per paper: the parts, the hyper-parameters, the citation, and what to expect. The names and descriptions
need no torch.
"""

RECIPE_DESCRIPTIONS: dict[str, str] = {
    "auto": "chooses and sizes the fastest well-behaved recipe for the data and the machine (the default)",
    "gan": "the original GAN: multilayer perceptrons, maxout, dropout (Goodfellow et al. 2014)",
    "cgan": "conditional GAN: both networks take the label as input (Mirza & Osindero 2014)",
    "dcgan": "convolutional networks with batch normalisation (Radford et al. 2015)",
    "improved": "label smoothing, minibatch discrimination, historical averaging (Salimans et al. 2016)",
    "acgan": "an auxiliary classifier in the discriminator (Odena et al. 2017)",
    "lsgan": "least-squares loss instead of cross-entropy (Mao et al. 2017)",
    "wgan": "Wasserstein GAN with weight clipping (Arjovsky et al. 2017)",
    "wgan_gp": "Wasserstein GAN with a gradient penalty (Gulrajani et al. 2017)",
    "dragan": "gradient penalty in a neighbourhood of the data (Kodali et al. 2017)",
    "sngan": "spectral normalisation, residual networks, hinge loss (Miyato et al. 2018)",
    "pacgan": "the discriminator takes several samples at once (Lin et al. 2018)",
    "r3gan": "relativistic loss with R1 and R2 penalties (Huang et al. 2024)",
    "ae": "autoencoder (Hinton & Salakhutdinov 2006)",
    "dae": "denoising autoencoder (Vincent et al. 2008)",
    "vae": "variational autoencoder: a likelihood instead of a discriminator (Kingma & Welling 2014)",
    "beta_vae": "variational autoencoder with a larger weight of the KL divergence (Higgins et al. 2017)",
    "iwae": "importance-weighted autoencoder (Burda et al. 2016)",
    "svae": "variational autoencoder with a spherical latent space (Davidson et al. 2018)",
    "vae_gan": "VAE with the discriminator's features as reconstruction loss (Larsen et al. 2016)",
    "two_stage_vae": "a second VAE learns the distribution of the codes of the first (Dai & Wipf 2019)",
    "cvae": "conditional VAE, which also classifies (Sohn et al. 2015)",
    "naive_bayes": "independent pixels in each class, counted in one pass (Ng & Jordan 2001)",
    "logistic": "logistic regression: a classifier, without samples (Cox 1958)",
    "pix2pix": "image-to-image translation learned from pairs (Isola et al. 2017)",
    "cyclegan": "translation in both directions between two unpaired sets of images (Zhu et al. 2017)",
    "cut": "translation in one direction between two unpaired sets of images (Park et al. 2020)",
}

RECIPE_PAIRING: dict[str, str] = {  # recipes for two domains, and whether their images are paired
    "pix2pix": "paired",
    "cyclegan": "unpaired",
    "cut": "unpaired",
}
