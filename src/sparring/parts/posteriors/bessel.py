"""Modified Bessel functions of the first kind in log space, accurate for small and large orders and arguments.

All functions are computed from the normalised one

    M_v(x) = Gamma(v + 1) (2 / x)^v I_v(x) = 0F1(; v + 1; x^2 / 4)        M_v(0) = 1
    r_v(x) = I_(v+1)(x) / I_v(x) = d log M_v / dx

whose logarithm neither underflows nor overflows. At orders V >= 8, log M_V is computed by Debye's uniform expansion with
z = x / V, s = sqrt(1 + z^2) and t = 1 / s, in a form in which all terms vanish with s - 1 (no cancellation for small x):

    log M_V = V (s - 1 - log((1 + s) / 2)) - log(s) / 2 + sum_k (D_k(t) - D_k(1)) / V^k

r_V and r_V' are its first and second derivatives, term by term. Lower orders follow by the downward recurrence, which
is stable:

    h_v = r_v / x = 1 / (2 (v + 1) + x^2 h_(v+1))                   (no division by x: exact at 0 too)
    r_v' = h_v^2 (2 (v + 1) - x^2 r_(v+1)')
    log M_v = log M_(v+1) + log(1 + x^2 h_(v+1) / (2 (v + 1)))

The number of operations depends on the order alone, not on x, and there is no loop over samples.

References:
    Olver et al., "NIST digital library of mathematical functions", 10.29.1 (recurrence), 10.41.3 and 10.41.9 (Debye).
    Amos 1974, "Computation of modified Bessel functions and their ratios", Mathematics of Computation 28.
"""

import math
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import torch
from torch import Tensor

DEBYE_ORDER = 8  # order from which Debye's expansion is used
DEBYE_TERMS = 10  # number of its terms

Polynomial = dict[int, Fraction]  # coefficients by power


class BesselValues(NamedTuple):
    """log M_v, r_v and r_v' (the derivative in x), each of the shape of x."""

    log_m: Tensor
    ratio: Tensor
    derivative: Tensor


@cache
def debye_polynomials() -> list[Polynomial]:
    """D_1 ... D_TERMS: the logarithm of sum_k U_k(t) / V^k, by powers of 1 / V. D_1 = (3 t - 5 t^3) / 24."""
    u: list[Polynomial] = [{0: Fraction(1)}]
    for _ in range(DEBYE_TERMS):
        following: Polynomial = {}
        for n, c in u[-1].items():
            _add_term(following, n + 1, c * (Fraction(n, 2) + Fraction(1, 8 * (n + 1))))
            _add_term(following, n + 3, -c * (Fraction(n, 2) + Fraction(5, 8 * (n + 3))))
        u.append(following)
    d: list[Polynomial] = [{}]
    for k in range(1, DEBYE_TERMS + 1):
        term = dict(u[k])
        for j in range(1, k):
            for n, c in d[j].items():
                for p, e in u[k - j].items():
                    _add_term(term, n + p, -Fraction(j, k) * c * e)
        d.append(term)
    return d[1:]


def _add_term(polynomial: Polynomial, power: int, value: Fraction) -> None:
    polynomial[power] = polynomial.get(power, Fraction(0)) + value


@cache
def _debye_coefficients(order: float, device: torch.device) -> Tensor:
    """The corrections to the leading terms of t / (t - 1) log M, r / x and r': coefficients of t, t^2, ... (powers, 3)."""
    first = 1 / Fraction(order) ** 2
    sums: list[Polynomial] = [{}, {2: -first / 2}, {2: first / 2, 4: -first}]  # of -log(s) / 2
    for k, polynomial in enumerate(debye_polynomials(), 1):
        scale = Fraction(order) ** -k
        for n, c in polynomial.items():
            for power in range(n):  # t^n - 1 = (t - 1) (1 + t + ... + t^(n-1))
                _add_term(sums[0], power + 1, c * scale)
            e = n * c * scale * first  # of E = t^3 D'(t) / V^2, which goes into both derivatives
            _add_term(sums[1], n + 2, -e)
            _add_term(sums[2], n + 2, e * (n + 1))
            _add_term(sums[2], n + 4, -e * (n + 2))
    rows = [[float(each.get(power, 0)) for each in sums] for power in range(1, 3 * DEBYE_TERMS + 5)]
    return torch.tensor(rows, dtype=torch.float64, device=device)


@cache
def _recurrence_factors(order: float, steps: int, device: torch.device) -> list[Tensor]:
    values = [2 * (order + step) for step in range(steps, 0, -1)]
    return list(torch.tensor(values, dtype=torch.float64, device=device))


def _debye(order: float, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log M, r / x and r' at an order of at least `DEBYE_ORDER`, by the expansion."""
    z = x / order
    s = torch.hypot(z, torch.ones_like(z))
    t, above = 1 / s, z * (z / (1 + s))  # above = s - 1
    coefficients = _debye_coefficients(order, x.device)
    powers = t.unsqueeze(-1).expand(*t.shape, len(coefficients)).cumprod(-1)
    log_sum, h_sum, derivative_sum = (powers @ coefficients).unbind(-1)
    log_m = order * (above - torch.log1p(above / 2)) - torch.log1p(above) / 2 - above * log_sum
    leading = t / ((1 + t) * order)
    return log_m, leading + h_sum, leading * t + derivative_sum


def evaluate_bessel(order: float, x: Tensor) -> BesselValues:
    """log M_v, r_v and r_v' at x >= 0 (float64, any shape).

    >>> from torch import tensor
    >>> [round(float(value), 6) for value in evaluate_bessel(0.5, tensor(1.0).double())]  # log sinh(1), coth(1) - 1, 1 - csch(1)^2
    [0.161439, 0.313035, 0.275938]
    """
    steps = max(0, math.ceil(DEBYE_ORDER - order))
    log_m, h, derivative = _debye(order + steps, x)
    square = x * x
    twice = _recurrence_factors(order, steps, x.device)  # 2 (v + 1) of each order on the way down
    products = []
    for each in twice:
        products.append(square * h)
        h = torch.reciprocal(products[-1] + each)
        derivative = torch.addcmul(each, square, derivative, value=-1) * (h * h)
    if products:
        log_m = log_m + (torch.stack(products, -1) / torch.stack(twice)).log1p().sum(-1)
    return BesselValues(log_m, x * h, derivative)


class _WithDerivative(torch.autograd.Function):
    """A value whose derivative in x is computed beside it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, value: Tensor, derivative: Tensor) -> Tensor:
        ctx.save_for_backward(derivative)
        return value

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient * ctx.saved_tensors[0], None, None


def with_derivative(x: Tensor, value: Tensor, derivative: Tensor) -> Tensor:
    """`value` as a function of x whose derivative is `derivative`; all of one shape. It has no second derivative."""
    result: Tensor = _WithDerivative.apply(x, value, derivative)
    return result


def log_normalised_bessel(order: float, x: Tensor) -> Tensor:
    """log M_v(x) = log(Gamma(v + 1) (2 / x)^v I_v(x)), differentiable; float64, the shape of x."""
    x = x.double()
    values = evaluate_bessel(order, x.detach())
    return with_derivative(x, values.log_m, values.ratio)


def log_bessel_i(order: float, x: Tensor) -> Tensor:
    """log I_v(x), differentiable, in float64, also where I_v itself underflows or overflows.

    Arguments:
        order: v >= 0.
        x: positive, any shape.

    >>> round(float(log_bessel_i(511.0, torch.tensor(1.0))), 3)  # 1e-1318 is below the range of floats
    -3034.02
    """
    x = x.double()
    return log_normalised_bessel(order, x) + order * torch.log(x / 2) - math.lgamma(order + 1)


def bessel_ratio(order: float, x: Tensor) -> Tensor:
    """I_(v+1)(x) / I_v(x), from 0 to 1, differentiable, in float64.

    Arguments:
        order: v >= 0.
        x: not negative, any shape.
    """
    x = x.double()
    values = evaluate_bessel(order, x.detach())
    return with_derivative(x, values.ratio, values.derivative)
