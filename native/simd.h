// One vector of floats in the widest registers of the instruction set that this is compiled for.
// GCC's and Clang's vector extensions do the arithmetic; intrinsics only what those cannot say.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace {

#if defined(__AVX512F__)
constexpr int LANES = 16;
#elif defined(__AVX2__)
constexpr int LANES = 8;
#else
constexpr int LANES = 4;
#endif

typedef float V __attribute__((vector_size(LANES * 4)));
typedef int32_t I __attribute__((vector_size(LANES * 4)));

inline V load(const float* p) {
    V v;
    memcpy(&v, p, sizeof v);
    return v;
}

inline void store(float* p, V v) { memcpy(p, &v, sizeof v); }

inline V broadcast(float x) { return x - V{}; }

// The first `count` lanes (0 to LANES); nothing beyond them is read or written.
inline V load_part(const float* p, int count) {
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

inline V square_root(V v) {
#if defined(__AVX512F__)
    return (V)_mm512_sqrt_ps((__m512)v);
#elif defined(__AVX2__)
    return (V)_mm256_sqrt_ps((__m256)v);
#elif defined(__SSE2__)
    return (V)_mm_sqrt_ps((__m128)v);
#else
    for (int i = 0; i < LANES; i++) v[i] = __builtin_sqrtf(v[i]);
    return v;
#endif
}

inline I bits(V v) { return (I)v; }
inline V from_bits(I i) { return (V)i; }
inline V to_float(I i) { return __builtin_convertvector(i, V); }
inline I to_int(V v) { return __builtin_convertvector(v, I); }
inline V choose(I mask, V yes, V no) { return mask ? yes : no; }

inline float sum_of_lanes(V v) {
    float lanes[LANES];
    store(lanes, v);
    for (int half = LANES / 2; half; half /= 2)
        for (int i = 0; i < half; i++) lanes[i] += lanes[i + half];
    return lanes[0];
}

}  // namespace
