// Instructions between products, over a tile of rows that stays in the nearest cache.
#pragma once

#include "functions.h"
#include "program.h"

namespace {

using namespace unrolled;

// One instruction on rows whose places are known.
struct Work {
    float* out;
    int64_t out_pitch;
    const float* args[3];
    int64_t pitches[3];
    int64_t rows, n;
    float value;
    double* total;
};

// out = function(a, b, c), element by element; ARITY arguments are read, the others are zeros.
template <int ARITY, class F>
inline void each(const Work& work, F function) {
    auto take = [](const float* p, int count) { return count == LANES ? load(p) : load_part(p, count); };
    const int64_t n = work.n;  // a copy, which no store can change
    for (int64_t row = 0; row < work.rows; row++) {
        float* out = work.out + row * work.out_pitch;
        const float* a = work.args[0] + row * work.pitches[0];
        const float* b = work.args[1] + row * work.pitches[1];
        const float* c = work.args[2] + row * work.pitches[2];
        auto value = [&](int64_t j, int count) {
            V x{}, y{}, z{};
            if constexpr (ARITY > 0) x = take(a + j, count);
            if constexpr (ARITY > 1) y = take(b + j, count);
            if constexpr (ARITY > 2) z = take(c + j, count);
            return function(x, y, z);
        };
        int64_t j = 0;
        for (; j + LANES <= n; j += LANES) store(out + j, value(j, LANES));
        if (j < n) store_part(out + j, value(j, (int)(n - j)), (int)(n - j));
    }
}

EVERYWHERE V truth(I mask) { return choose(mask, broadcast(1.0f), V{}); }
EVERYWHERE V maximum(V a, V b) { return choose((a > b) | (a != a), a, b); }
EVERYWHERE V minimum(V a, V b) { return choose((a < b) | (a != a), a, b); }

// The sum of function(j, count) over n columns; four sums at a time, since one waits for itself.
template <class F>
inline float sum_over(int64_t n, F function) {
    V sums[4] = {};
    int64_t j = 0;
    for (; j + 4 * LANES <= n; j += 4 * LANES)
        for (int i = 0; i < 4; i++) sums[i] += function(j + i * LANES, LANES);
    for (; j + LANES <= n; j += LANES) sums[0] += function(j, LANES);
    if (j < n) sums[1] += function(j, (int)(n - j));
    return sum_of_lanes((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

EVERYWHERE V take(const float* p, int count) { return count == LANES ? load(p) : load_part(p, count); }

// Lanes past a row's end become 0, whatever was computed in them.
EVERYWHERE V only(V v, int count) {
    if (count == LANES) return v;
    float lanes[LANES] = {};
    store_part(lanes, v, count);
    return load(lanes);
}

inline void row_sums(const Work& work) {
    for (int64_t row = 0; row < work.rows; row++) {
        const float* a = work.args[0] + row * work.pitches[0];
        work.out[row * work.out_pitch] =
            sum_over(work.n, [=](int64_t j, int count) { return take(a + j, count); });
    }
}

// A row's mean, and one over the root of its variance plus eps.
struct Moments {
    float mean, scale;
};

inline Moments moments_of(const float* a, int64_t n, float eps) {
    const float mean = sum_over(n, [=](int64_t j, int count) { return take(a + j, count); }) / n;
    const float variance = sum_over(n, [=](int64_t j, int count) {
        const V centred = take(a + j, count) - mean;
        return only(centred * centred, count);
    }) / n;
    return {mean, 1.0f / sqrtf(variance + eps)};
}

// out = (a - mean) * scale, row by row.
inline void normalize(const Work& work) {
    for (int64_t row = 0; row < work.rows; row++) {
        const float* a = work.args[0] + row * work.pitches[0];
        float* out = work.out + row * work.out_pitch;
        const Moments m = moments_of(a, work.n, work.value);
        int64_t j = 0;
        for (; j + LANES <= work.n; j += LANES) store(out + j, (load(a + j) - m.mean) * m.scale);
        for (; j < work.n; j++) out[j] = (a[j] - m.mean) * m.scale;
    }
}

// The gradient a through y = normalize(b): scale * (a - mean(a) - y * mean(a * y)).
inline void normalize_backward(const Work& work) {
    for (int64_t row = 0; row < work.rows; row++) {
        const float* g = work.args[0] + row * work.pitches[0];
        const float* x = work.args[1] + row * work.pitches[1];
        float* out = work.out + row * work.out_pitch;
        const Moments m = moments_of(x, work.n, work.value);
        const float mean = sum_over(work.n, [=](int64_t j, int count) { return take(g + j, count); }) / work.n;
        const float along = sum_over(work.n, [=](int64_t j, int count) {
            return only(take(g + j, count) * ((take(x + j, count) - m.mean) * m.scale), count);
        }) / work.n;
        int64_t j = 0;
        for (; j + LANES <= work.n; j += LANES) {
            const V y = (load(x + j) - m.mean) * m.scale;
            store(out + j, m.scale * (load(g + j) - mean - y * along));
        }
        for (; j < work.n; j++)
            out[j] = m.scale * (g[j] - mean - (x[j] - m.mean) * m.scale * along);
    }
}

inline void row_maxima(const Work& work) {
    for (int64_t row = 0; row < work.rows; row++) {
        const float* a = work.args[0] + row * work.pitches[0];
        V largest = broadcast(a[0]);
        int64_t j = 0;
        for (; j + LANES <= work.n; j += LANES) largest = maximum(largest, load(a + j));
        float most = a[0], lanes[LANES];
        store(lanes, largest);
        for (int i = 0; i < LANES; i++) most = lanes[i] > most || lanes[i] != lanes[i] ? lanes[i] : most;
        for (; j < work.n; j++) most = a[j] > most || a[j] != a[j] ? a[j] : most;
        work.out[row * work.out_pitch] = most;
    }
}

inline void spread(const Work& work) {
    for (int64_t row = 0; row < work.rows; row++) {
        const float x = work.args[0][row * work.pitches[0]];
        float* out = work.out + row * work.out_pitch;
        for (int64_t j = 0; j < work.n; j++) out[j] = x;
    }
}

// In double, since the sums go over all rows of all steps; the few rows of a tile are added first.
inline void add_to_total(const Work& work) {
    const float* a = work.args[0];
    int64_t j = 0;
    for (; j + LANES <= work.n; j += LANES) {
        V sum{};
        for (int64_t row = 0; row < work.rows; row++) sum += load(a + row * work.pitches[0] + j);
        add_doubles(work.total + j, sum);
    }
    for (; j < work.n; j++)
        for (int64_t row = 0; row < work.rows; row++) work.total[j] += a[row * work.pitches[0] + j];
}

inline void execute(int32_t op, const Work& work) {
    const float v = work.value;
    switch (op) {
        case COPY: return each<1>(work, [](V a, V, V) { return a; });
        case FILL: return each<0>(work, [=](V, V, V) { return broadcast(v); });
        case NEG: return each<1>(work, [](V a, V, V) { return -a; });
        case ADD: return each<2>(work, [](V a, V b, V) { return a + b; });
        case SUB: return each<2>(work, [](V a, V b, V) { return a - b; });
        case MUL: return each<2>(work, [](V a, V b, V) { return a * b; });
        case DIV: return each<2>(work, [](V a, V b, V) { return a / b; });
        case MULADD: return each<3>(work, [](V a, V b, V c) { return a * b + c; });
        case LERP: return each<3>(work, [](V a, V b, V c) { return a + c * (b - a); });
        case SCALE: return each<1>(work, [=](V a, V, V) { return v * a; });
        case OFFSET: return each<1>(work, [=](V a, V, V) { return a + v; });
        case MAXIMUM: return each<2>(work, [](V a, V b, V) { return maximum(a, b); });
        case MINIMUM: return each<2>(work, [](V a, V b, V) { return minimum(a, b); });
        case SIGMOID: return each<1>(work, [](V a, V, V) { return sigmoid(a); });
        case TANH: return each<1>(work, [](V a, V, V) { return hyperbolic_tangent(a); });
        case RELU: return each<1>(work, [](V a, V, V) { return choose(a <= 0.0f, V{}, a); });
        case EXP: return each<1>(work, [](V a, V, V) { return exponential(a); });
        case LOG: return each<1>(work, [](V a, V, V) { return logarithm(a); });
        case SQRT: return each<1>(work, [](V a, V, V) { return square_root(a); });
        case RSQRT: return each<1>(work, [](V a, V, V) { return 1.0f / square_root(a); });
        case RECIPROCAL: return each<1>(work, [](V a, V, V) { return 1.0f / a; });
        case ABS: return each<1>(work, [](V a, V, V) { return absolute(a); });
        case SIGN: return each<1>(work, [](V a, V, V) { return truth(a > 0.0f) - truth(a < 0.0f); });
        case SIN: return each<1>(work, [](V a, V, V) { return sine_after(a, 0); });
        case COS: return each<1>(work, [](V a, V, V) { return sine_after(a, 1); });
        case ERF: return each<1>(work, [](V a, V, V) { return error_function(a); });
        case LOG1P: return each<1>(work, [](V a, V, V) { return logarithm_1p(a); });
        case EXPM1: return each<1>(work, [](V a, V, V) { return exponential_m1(a); });
        case POW: return each<1>(work, [=](V a, V, V) { return power(a, v); });
        case GT: return each<2>(work, [](V a, V b, V) { return truth(a > b); });
        case GE: return each<2>(work, [](V a, V b, V) { return truth(a >= b); });
        case EQ: return each<2>(work, [](V a, V b, V) { return truth(a == b); });
        case WHERE: return each<3>(work, [](V a, V b, V c) { return choose(a != 0.0f, b, c); });
        case DSIGMOID: return each<2>(work, [](V a, V b, V) { return a * b * (1.0f - b); });
        case DTANH: return each<2>(work, [](V a, V b, V) { return a * (1.0f - b * b); });
        case ROW_SUM: return row_sums(work);
        case ROW_MAX: return row_maxima(work);
        case SPREAD: return spread(work);
        case TOTAL: return add_to_total(work);
        case NORMALIZE: return normalize(work);
        case DNORMALIZE: return normalize_backward(work);
    }
}

}  // namespace
