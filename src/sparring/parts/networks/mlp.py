"""Multilayer perceptrons: the networks of the 2014 paper, and those for points in the plane."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import nn

from sparring.core.errors import ConfigError
from sparring.core.shapes import Features, Labels, Latent, Sample, SampleSpec
from sparring.parts.networks.layers.fourier import FourierFeatures
from sparring.parts.networks.layers.label_embedding import LabelEmbedding
from sparring.parts.networks.layers.maxout import Maxout
from sparring.parts.networks.layers.spectral_norm import spectral_norm_all

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


@dataclass(frozen=True, kw_only=True)
class MLPGenerator:
    """Fully connected generator, for small images and points.

    References:
        Goodfellow et al. 2014, "Generative adversarial nets", arXiv 1406.2661, sec. 5.
        Lin, Khetan, Fanti & Oh 2018, "PacGAN: the power of two samples in generative adversarial networks",
        arXiv 1712.04086, appendix (points: four hidden layers of 400, batch normalisation, `init_std=0.02`).

    Arguments:
        latent: dimension of z.
        hidden: units of each hidden layer.
        activation: of the hidden layers.
        negative_slope: of the leaky ReLU.
        norm: `batch` normalises the hidden layers, which then have no bias of their own.
        batch_momentum: share of the new batch in batch normalisation's running statistics.
        output: `tanh` or `linear`; None takes tanh for images and linear for points.
        fourier: octaves of Fourier features of the latent, which help to cover many modes; 0 for none.
        init_std: standard deviation of the normal weights, with biases at 0; None takes PyTorch's
            initialisation.
        init_gain: the same by fan-in: a standard deviation of gain / sqrt(inputs).
        embedding: size of the label's embedding, concatenated to z, where the data has labels.

    Shape: (b, z) to (b, *sample).
    """

    latent: int = 100
    hidden: tuple[int, ...] = (256, 256)
    activation: Literal["relu", "leaky_relu", "silu", "tanh"] = "relu"
    negative_slope: float = 0.2
    norm: Literal["none", "batch"] = "none"
    batch_momentum: float = 0.1
    output: Literal["tanh", "linear"] | None = None
    fourier: int = 0
    init_std: float | None = None
    init_gain: float | None = None
    embedding: int = 64

    def __post_init__(self) -> None:
        if self.latent < 1 or self.embedding < 1:
            raise ConfigError(f"latent {self.latent}, embedding {self.embedding}", "1 or more", "raise it")
        if not 0 <= self.fourier <= 30:
            raise ConfigError(f"fourier {self.fourier}", "0 to 30 octaves", "set fourier=0")
        if not 0 < self.batch_momentum <= 1:
            raise ConfigError(f"batch_momentum {self.batch_momentum}", "above 0, at most 1", "use 0.1")
        _check_layers(self.hidden, self.init_std, self.init_gain)

    def build(self, spec: SampleSpec) -> nn.Module:
        return Generator(self, spec)

    def as_decoder(self, latent: int) -> "MLPGenerator":
        """The same settings for codes of this size, without the tanh."""
        return replace(self, latent=latent, output="linear")


@dataclass(frozen=True, kw_only=True)
class MLPDiscriminator:
    """Fully connected discriminator.

    References:
        Goodfellow et al. 2014, arXiv 1406.2661, sec. 5 (maxout and dropout); Goodfellow et al. 2013, arXiv
        1302.4389. Tancik et al. 2020, arXiv 2006.10739 (Fourier features). Miyato et al. 2018, arXiv
        1802.05957 (spectral normalisation).

    Arguments:
        hidden: units of each hidden layer.
        activation: of the hidden layers.
        negative_slope: of the leaky ReLU.
        pieces: linear maps a maxout unit.
        dropout: share of the hidden units dropped in training, behind each hidden layer.
        input_dropout: share of the inputs dropped in training.
        fourier: octaves of Fourier features of the coordinates; 0 for none.
        spectral: normalise all weights spectrally.
        init_std, init_gain: as in the generator.

    Shape: (b, *sample) to features (b, hidden[-1]).
    """

    hidden: tuple[int, ...] = (256, 256)
    activation: Literal["relu", "leaky_relu", "silu", "tanh", "maxout"] = "leaky_relu"
    negative_slope: float = 0.2
    pieces: int = 5
    dropout: float = 0.0
    input_dropout: float = 0.0
    fourier: int = 0
    spectral: bool = False
    init_std: float | None = None
    init_gain: float | None = None

    def __post_init__(self) -> None:
        if self.pieces < 1 or not 0 <= self.fourier <= 30:
            raise ConfigError(
                f"pieces {self.pieces}, fourier {self.fourier}", "1 or more; 0 to 30", "fix the numbers"
            )
        if not (0 <= self.dropout < 1 and 0 <= self.input_dropout < 1):
            raise ConfigError(
                f"dropout {self.dropout}, {self.input_dropout}", "0 or more, below 1", "set dropout=0"
            )
        _check_layers(self.hidden, self.init_std, self.init_gain)

    def build(self, spec: SampleSpec) -> nn.Module:
        return DiscriminatorBody(self, spec)


class Generator(nn.Module):
    """See `MLPGenerator`."""

    def __init__(self, config: MLPGenerator, spec: SampleSpec) -> None:
        super().__init__()
        self.shape = spec.shape
        self.labels = LabelEmbedding(spec.num_classes, config.embedding)
        self.waves = FourierFeatures(config.fourier, decaying=False) if config.fourier else nn.Identity()
        sizes = [config.latent * (1 + 2 * config.fourier) + self.labels.embedding_size, *config.hidden]
        layers = [_generator_layer(config, sizes[i], sizes[i + 1]) for i in range(len(config.hidden))]
        output = config.output or ("tanh" if spec.is_image else "linear")
        last: list[nn.Module] = [nn.Linear(sizes[-1], spec.numel), *([nn.Tanh()] if output == "tanh" else [])]
        self.layers = nn.Sequential(*layers, *last)
        _initialise(self.layers, config.init_std, config.init_gain)

    def forward(self, z: Latent, y: Labels | None = None) -> Sample:
        return self.layers(self.labels(self.waves(z), y)).view(-1, *self.shape)


class DiscriminatorBody(nn.Module):
    """See `MLPDiscriminator`."""

    def __init__(self, config: MLPDiscriminator, spec: SampleSpec) -> None:
        super().__init__()
        self.num_features, self.spectral = config.hidden[-1], config.spectral
        inputs = FourierFeatures(config.fourier, decaying=True) if config.fourier else nn.Identity()
        sizes = [spec.numel * (1 + 2 * config.fourier), *config.hidden]
        layers = [_discriminator_layer(config, sizes[i], sizes[i + 1]) for i in range(len(config.hidden))]
        self.layers = nn.Sequential(inputs, nn.Dropout(config.input_dropout), *layers)
        _initialise(self.layers, config.init_std, config.init_gain)
        if config.spectral:
            spectral_norm_all(self.layers)

    def stages_from_image(self) -> list[tuple[nn.Module, ...]]:
        """The modules of each stage, in order from the image to the features."""
        return [(layer,) for layer in list(self.layers.children())[2:]]

    def forward(self, x: Sample) -> Features:
        return self.layers(torch.flatten(x, 1))  # in the order (c, h, w), whatever the memory format


def _generator_layer(config: MLPGenerator, inputs: int, outputs: int) -> nn.Module:
    layer = OrderedDict[str, nn.Module](linear=nn.Linear(inputs, outputs, bias=config.norm == "none"))
    if config.norm == "batch":
        layer["norm"] = nn.BatchNorm1d(outputs, momentum=config.batch_momentum)
    layer["activation"] = _activation(config.activation, config.negative_slope)
    return nn.Sequential(layer)


def _discriminator_layer(config: MLPDiscriminator, inputs: int, outputs: int) -> nn.Module:
    if config.activation == "maxout":
        return nn.Sequential(Maxout(inputs, outputs, config.pieces), nn.Dropout(config.dropout))
    activation = _activation(config.activation, config.negative_slope)
    return nn.Sequential(nn.Linear(inputs, outputs), activation, nn.Dropout(config.dropout))


def _activation(name: str, negative_slope: float) -> nn.Module:
    return nn.LeakyReLU(negative_slope) if name == "leaky_relu" else ACTIVATIONS[name]()


def _initialise(layers: nn.Module, init_std: float | None, init_gain: float | None) -> None:
    for module in layers.modules():
        if isinstance(module, nn.Linear) and (init_std or init_gain):
            by_inputs = (init_gain or 0.0) / module.in_features**0.5
            nn.init.normal_(module.weight, 0.0, init_std or by_inputs)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def _check_layers(hidden: tuple[int, ...], init_std: float | None, init_gain: float | None) -> None:
    if not hidden or min(hidden) < 1:
        raise ConfigError(
            f"hidden layers {hidden}", "at least one, of 1 unit or more each", "as in [256, 256]"
        )
    set_values = [value for value in (init_std, init_gain) if value is not None]
    if len(set_values) > 1 or any(value <= 0 for value in set_values):
        raise ConfigError(
            f"init_std {init_std}, init_gain {init_gain}", "one of them above 0, or none", "set one to null"
        )
