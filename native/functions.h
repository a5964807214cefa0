// Elementary functions of a vector, right to 3e-7 of the value. Infinities and NaN go through;
// results below the smallest normal number are 0. The rational function and the polynomials are
// minimax fits in float64 by Lawson's algorithm, those of log, sin and cos Moshier's (Cephes).
#pragma once

#include <cmath>

#include "simd.h"

namespace {

constexpr float LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;  // their sum is ln(2)

// c[0] + c[1] x + c[2] x**2 + ...
template <int N>
EVERYWHERE V polynomial(V x, const float (&c)[N]) {
    V sum = broadcast(c[N - 1]);
    for (int i = N - 2; i >= 0; i--) sum = sum * x + c[i];
    return sum;
}

// The nearest whole number, for |x| < 2**22.
EVERYWHERE V nearest(V x) {
    constexpr float SHIFT = 12582912.0f;  // 1.5 * 2**23, above which floats are whole
    return (x + SHIFT) - SHIFT;
}

struct Reduced {
    V whole, p;  // exp(x) = 2**whole * (1 + p)
};

// For -104 <= x <= 89, beyond which exp(x) is 0 or infinite.
EVERYWHERE Reduced reduce_exponential(V x) {
    const V whole = nearest(x * 1.44269504f);
    const V r = x - whole * LN2_HIGH - whole * LN2_LOW;  // |r| <= ln(2) / 2
    const V q = polynomial(r, {0.5f, 0.16666666f, 0.041666362f, 8.3333896e-3f, 1.3940625e-3f,
                               1.9845879e-4f});
    return {whole, q * r * r + r};
}

EVERYWHERE V exponential_within(V x) {
    const Reduced e = reduce_exponential(x);
    return times_power_of_two(1.0f + e.p, e.whole);
}

EVERYWHERE V exponential(V x) { return exponential_within(clamp(x, -104.0f, 89.0f)); }

EVERYWHERE V exponential_m1(V x) {
    const Reduced e = reduce_exponential(clamp(x, -30.0f, 89.0f));
    const V half = times_power_of_two(broadcast(0.5f), e.whole);  // 2**128 would be infinite
    return choose(e.whole == 0.0f, e.p, 2.0f * (half * e.p + (half - 0.5f)));
}

// Below -88 the quotient is too small to be normal: 0.
EVERYWHERE V sigmoid(V x) {
    return reciprocal(1.0f + exponential_within(-clamp(x, -88.0f, 104.0f)));
}

EVERYWHERE V hyperbolic_tangent(V x) {
    const V size = at_most(9.01f, absolute(x));  // tanh(9.01) is the float before 1
    const V s = size * size;
    const V above = polynomial(s, {1.0f, 0.133797092f, 3.49402411e-3f, 2.05833053e-5f,
                                   1.33189296e-8f});
    const V below = polynomial(s, {1.0f, 0.467130245f, 2.58710338e-2f, 3.28307556e-4f,
                                   7.76191851e-7f});
    return with_sign(at_most(1.0f, quotient(size * above, below)), x);
}

// log((1 + f) * 2**exponent) for sqrt(1/2) <= 1 + f <= sqrt(2).
EVERYWHERE V logarithm_of_parts(V f, V exponent) {
    const V s = f * f;
    const V p = polynomial(f, {3.3333331174e-1f, -2.4999993993e-1f, 2.0000714765e-1f,
                               -1.6668057665e-1f, 1.4249322787e-1f, -1.2420140846e-1f,
                               1.1676998740e-1f, -1.1514610310e-1f, 7.0376836292e-2f});
    return (f * s * p + exponent * LN2_LOW - 0.5f * s) + f + exponent * LN2_HIGH;
}

// What is not a positive finite number: log(0) = -inf, log(inf) = inf, all others NaN.
EVERYWHERE V logarithm_at_edges(V x, V value) {
    const V infinity = broadcast(INFINITY);
    value = choose(x == 0.0f, -infinity, value);
    value = choose(x == infinity, infinity, value);
    return choose((x < 0.0f) | (x != x), broadcast(NAN), value);
}

struct Parts {
    V f, exponent;
};

EVERYWHERE Parts parts_of(V x) {
    // Subtracting the bits of sqrt(1/2) makes the exponent field count from there.
    const I exponent = (I)(bits(x) - 0x3F3504F3u) >> 23;
    return {from_bits(bits(x) - ((U)exponent << 23)) - 1.0f, to_float(exponent)};
}

EVERYWHERE V logarithm(V x) {
    const Parts parts = parts_of(x);
    return logarithm_at_edges(x, logarithm_of_parts(parts.f, parts.exponent));
}

EVERYWHERE V logarithm_1p(V x) {
    const V sum = 1.0f + x;
    const Parts parts = parts_of(sum);
    const V lost = x - (sum - 1.0f);  // what rounding took from x, if x is not large
    const V value = logarithm_of_parts(parts.f, parts.exponent);
    const V mended = value + choose(absolute(x) < 1e6f, lost / sum, V{});
    // Near 0, f is x itself, with all its digits.
    const V near = logarithm_of_parts(x, V{});
    return logarithm_at_edges(sum, choose(parts.exponent == 0.0f, near, mended));
}

EVERYWHERE V error_function(V x) {
    const V t = at_most(4.0f, absolute(x));  // erf(4) is 1
    const V s = t * t;
    const V small = polynomial(s, {0.128379166f, -0.376126260f, 0.112835854f, -2.68538529e-2f,
                                   5.18832868e-3f, -8.01020244e-4f, 7.85388766e-5f});
    const V logarithm_of_rest = polynomial(t, {-3.41520179e-4f, -1.12708914f, -0.638144791f,
                                               -0.103106767f, 2.18380708e-2f, -2.94765993e-3f,
                                               1.86379359e-4f});
    const V large = 1.0f - exponential_within(logarithm_of_rest);
    return with_sign(choose(t < 1.0f, t + t * small, large), x);
}

// sin(x + quarters * pi / 2)
EVERYWHERE V sine_after(V x, int quarters) {
    constexpr float LIMIT = 8192.0f;  // to here the four parts of pi / 2 leave no error that counts
    if (any(absolute(x) > LIMIT))
        return by_lane(x, [=](float v) { return quarters ? cosf(v) : sinf(v); });
    const V whole = nearest(x * 0.636619772f);
    V r = (x - whole * 1.5703125f) - whole * 4.83751297e-4f;
    r = (r - whole * 7.54978995e-8f) + whole * 1.71512451e-15f;
    const I quarter = to_int(whole) + quarters;
    const V s = r * r;
    const V sine = r + r * s * polynomial(s, {-1.6666654611e-1f, 8.3321608736e-3f,
                                              -1.9515295891e-4f});
    const V cosine = 1.0f - 0.5f * s + s * s * polynomial(s, {4.166664568e-2f, -1.388731625e-3f,
                                                              2.443315712e-5f});
    const V value = choose((quarter & 1) == 1, cosine, sine);
    return from_bits(bits(value) ^ ((U)(quarter & 2) << 30));
}

// The exponents that torch treats apart; others are seldom used, and hard to get right: they are
// left to the C library, one lane after the other.
EVERYWHERE V power(V x, float y) {
    if (y == 2.0f) return x * x;
    if (y == 3.0f) return x * x * x;
    if (y == 0.5f) return square_root(x);
    if (y == -0.5f) return 1.0f / square_root(x);
    if (y == -1.0f) return 1.0f / x;
    if (y == -2.0f) return (1.0f / x) * (1.0f / x);
    return by_lane(x, [=](float v) { return powf(v, y); });
}

}  // namespace
