// Elementary functions of a vector, to about 2 units in the last place. Infinities and NaN go
// through; results below the smallest normal number are 0.
#pragma once

#include <cmath>

#include "simd.h"

namespace {

// Functions that recurrences seldom use: one lane after the other, by the C library.
template <class F>
inline V by_lane(V x, F function) {
    float lanes[LANES];
    store(lanes, x);
    for (int i = 0; i < LANES; i++) lanes[i] = function(lanes[i]);
    return load(lanes);
}

// 2**k * p for whole k; in two factors, since 2**128 is no float but the result may be one.
inline V scale_by_power(V p, I k) {
    const I half = k >> 1;
    return p * from_bits((half + 127) << 23) * from_bits((k - half + 127) << 23);
}

inline V exponential(V x) {
    constexpr float LOG2_E = 1.44269504f, LN2_HIGH = 0.693359375f, LN2_LOW = -2.12194440e-4f;
    constexpr float TO_INTEGER = 12582912.0f;  // 1.5 * 2**23: adding it rounds to a whole number
    x = choose(x > 89.0f, broadcast(89.0f), x);  // beyond these, infinity and 0
    x = choose(x < -104.0f, broadcast(-104.0f), x);
    const V shifted = x * LOG2_E + TO_INTEGER;
    const V whole = shifted - TO_INTEGER;
    const V r = x - whole * LN2_HIGH - whole * LN2_LOW;  // |r| <= ln(2) / 2
    V p = broadcast(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = (p * r) * r + r + 1.0f;
    return scale_by_power(p, bits(shifted) - 0x4B400000);
}

inline V sigmoid(V x) { return 1.0f / (1.0f + exponential(-x)); }

inline V hyperbolic_tangent(V x) {
    // For small x its series, since 1 - exp(-2 |x|) would lose digits.
    const V size = from_bits(bits(x) & 0x7FFFFFFF);
    const V e = exponential(-2.0f * size);
    const V far = from_bits(bits((1.0f - e) / (1.0f + e)) | (bits(x) & (int32_t)0x80000000));
    const V s = x * x;
    V p = broadcast(-5.70498872745e-3f);
    p = p * s + 2.06390887954e-2f;
    p = p * s - 5.37397155531e-2f;
    p = p * s + 1.33314422036e-1f;
    p = p * s - 3.33332819422e-1f;
    return choose(size < 0.625f, x + x * s * p, far);
}

inline V logarithm(V x) { return by_lane(x, [](float v) { return logf(v); }); }
inline V logarithm_1p(V x) { return by_lane(x, [](float v) { return log1pf(v); }); }
inline V exponential_m1(V x) { return by_lane(x, [](float v) { return expm1f(v); }); }
inline V error_function(V x) { return by_lane(x, [](float v) { return erff(v); }); }
inline V sine(V x) { return by_lane(x, [](float v) { return sinf(v); }); }
inline V cosine(V x) { return by_lane(x, [](float v) { return cosf(v); }); }
inline V power(V x, float y) { return by_lane(x, [y](float v) { return powf(v, y); }); }

}  // namespace
