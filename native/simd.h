// One vector of floats in the widest registers of the instruction set that this is compiled for.
// GCC's and Clang's vector extensions do the arithmetic; intrinsics only what those cannot say.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

// A call for each vector would load the constants of a function again and again.
#define EVERYWHERE inline __attribute__((always_inline))

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16, REGISTERS = 32;
#elif defined(__AVX2__)
constexpr int LANES = 8, REGISTERS = 16;
#elif defined(__aarch64__)
constexpr int LANES = 4, REGISTERS = 32;
#else
constexpr int LANES = 4, REGISTERS = 16;
#endif

typedef float V __attribute__((vector_size(LANES * 4)));
typedef int32_t I __attribute__((vector_size(LANES * 4)));
typedef uint32_t U __attribute__((vector_size(LANES * 4)));  // whose overflow is defined

EVERYWHERE V load(const float* p) {
    V v;
    memcpy(&v, p, sizeof v);
    return v;
}

inline void store(float* p, V v) { memcpy(p, &v, sizeof v); }

// Adds each lane to the number at its place.
inline void add_doubles(double* p, V v) {
    typedef double D __attribute__((vector_size(LANES * 8)));
    D sum;
    memcpy(&sum, p, sizeof sum);
    sum += __builtin_convertvector(v, D);
    memcpy(p, &sum, sizeof sum);
}

EVERYWHERE V broadcast(float x) { return x - V{}; }

// Keeps the compiler from reading a vector from memory again at each of its uses.
inline void hold(V& v) {
#if defined(__AVX512F__)
    asm("" : "+v"(v));
#elif defined(__SSE2__)
    asm("" : "+x"(v));
#else
    (void)v;
#endif
}

// The first `count` lanes (0 to LANES); nothing beyond them is read or written.
EVERYWHERE V load_part(const float* p, int count) {
#if defined(__AVX512F__)
    return (V)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), p);
#else
    V v = {};
    for (int i = 0; i < count; i++) v[i] = p[i];
    return v;
#endif
}

inline void store_part(float* p, V v, int count) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1), (__m512)v);
#else
    for (int i = 0; i < count; i++) p[i] = v[i];
#endif
}

EVERYWHERE U bits(V v) { return (U)v; }
EVERYWHERE V from_bits(U u) { return (V)u; }
EVERYWHERE V to_float(I i) { return __builtin_convertvector(i, V); }
EVERYWHERE I to_int(V v) { return __builtin_convertvector(v, I); }
EVERYWHERE V choose(I mask, V yes, V no) { return mask ? yes : no; }
EVERYWHERE V absolute(V v) { return from_bits(bits(v) & 0x7FFFFFFFu); }
EVERYWHERE V with_sign(V size, V sign) {
    return from_bits(bits(size) | (bits(sign) & 0x80000000u));
}

EVERYWHERE bool any(I mask) {
#if defined(__AVX512F__)
    return _mm512_test_epi32_mask((__m512i)mask, (__m512i)mask);
#elif defined(__AVX2__)
    return _mm256_movemask_epi8((__m256i)mask);
#else
    int32_t found = 0;
    for (int i = 0; i < LANES; i++) found |= mask[i];
    return found != 0;
#endif
}

template <class F>
EVERYWHERE V by_lane(V v, F function) {
    for (int i = 0; i < LANES; i++) v[i] = function(v[i]);
    return v;
}

// NaN stays NaN: the instructions return their second argument if one is.
EVERYWHERE V at_most(float high, V v) {
#if defined(__AVX512F__)
    return (V)_mm512_maskz_min_ps(0xFFFF, _mm512_set1_ps(high), (__m512)v);
#elif defined(__AVX2__)
    return (V)_mm256_min_ps(_mm256_set1_ps(high), (__m256)v);
#elif defined(__SSE2__)
    return (V)_mm_min_ps(_mm_set1_ps(high), (__m128)v);
#else
    return choose(v > high, broadcast(high), v);
#endif
}

EVERYWHERE V at_least(float low, V v) {
#if defined(__AVX512F__)
    return (V)_mm512_maskz_max_ps(0xFFFF, _mm512_set1_ps(low), (__m512)v);
#elif defined(__AVX2__)
    return (V)_mm256_max_ps(_mm256_set1_ps(low), (__m256)v);
#elif defined(__SSE2__)
    return (V)_mm_max_ps(_mm_set1_ps(low), (__m128)v);
#else
    return choose(v < low, broadcast(low), v);
#endif
}

EVERYWHERE V clamp(V v, float low, float high) { return at_most(high, at_least(low, v)); }

EVERYWHERE V square_root(V v) {
#if defined(__AVX512F__)
    return (V)_mm512_maskz_sqrt_ps(0xFFFF, (__m512)v);
#elif defined(__AVX2__)
    return (V)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
    return (V)_mm_sqrt_ps((__m128)v);
#else
    return by_lane(v, [](float x) { return __builtin_sqrtf(x); });
#endif
}

// 1 / v for 1 <= v. With 512 bits a division takes as long as 30 multiplications; an estimate of
// 14 bits and a step of Newton's give as many digits in a quarter of that.
EVERYWHERE V reciprocal(V v) {
#if defined(__AVX512F__)
    const V r = (V)_mm512_maskz_rcp14_ps(0xFFFF, (__m512)v);
    return r + r * (1.0f - v * r);
#else
    return 1.0f / v;
#endif
}

// a / b for 1 <= b and finite numbers.
EVERYWHERE V quotient(V a, V b) {
#if defined(__AVX512F__)
    const V r = reciprocal(b), q = a * r;
    return q + r * (a - q * b);
#else
    return a / b;
#endif
}

// v * 2**whole for whole numbers from -150 to 128.
EVERYWHERE V times_power_of_two(V v, V whole) {
#if defined(__AVX512F__)
    return (V)_mm512_maskz_scalef_ps(0xFFFF, (__m512)v, (__m512)whole);
#else
    // In two factors: 2**128 is no float, though the product may be one.
    const I exponent = to_int(whole), half = exponent >> 1;
    const U low = (U)half + 127u, high = (U)(exponent - half) + 127u;
    return v * from_bits(low << 23) * from_bits(high << 23);
#endif
}

// a[first], b[first], a[first + 1], ... : half of each.
EVERYWHERE V interleave(V a, V b, int first) {
#if defined(__clang__)
    V mixed;
    for (int i = 0; i < LANES; i++) mixed[i] = (i % 2 ? b : a)[first + i / 2];
    return mixed;
#else
    I order;
    for (int i = 0; i < LANES; i++) order[i] = first + i / 2 + i % 2 * LANES;
    return __builtin_shuffle(a, b, order);
#endif
}

// A square of LANES rows, transposed in place: each round interleaves the upper half with the lower.
inline void transpose(V (&rows)[LANES]) {
    for (int round = 1; round < LANES; round *= 2) {
        V mixed[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            mixed[2 * i] = interleave(rows[i], rows[i + LANES / 2], 0);
            mixed[2 * i + 1] = interleave(rows[i], rows[i + LANES / 2], LANES / 2);
        }
        memcpy(rows, mixed, sizeof mixed);
    }
}

EVERYWHERE float sum_of_lanes(V v) {
    float lanes[LANES];
    store(lanes, v);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
}

}  // namespace
