"""Games: the training algorithms. Which networks are trained, with which terms, in which order."""

from sparring.games.adversarial import AdversarialConfig
from sparring.games.autoencoder import AutoencoderConfig
from sparring.games.classifier import ClassifierConfig
from sparring.games.cycle import CycleConfig
from sparring.games.naive_bayes import NaiveBayesConfig
from sparring.games.one_sided import OneSidedConfig
from sparring.games.paired import PairedConfig
from sparring.games.two_stage import TwoStageConfig
from sparring.games.vae_gan import VAEGANConfig
from sparring.games.variational import VariationalConfig

GAMES: dict[str, type] = {
    "adversarial": AdversarialConfig,
    "autoencoder": AutoencoderConfig,
    "variational": VariationalConfig,
    "vae_gan": VAEGANConfig,
    "two_stage": TwoStageConfig,
    "naive_bayes": NaiveBayesConfig,
    "classifier": ClassifierConfig,
    "paired": PairedConfig,
    "cycle": CycleConfig,
    "one_sided": OneSidedConfig,
}
