// Weights into panels, see product.h.
#pragma once

#include "product.h"
#include "team.h"

namespace {

using namespace unrolled;

// LANES columns of a weight whose k runs along memory, as torch stores it: squares, transposed.
inline int64_t pack_squares(const Source& from, const float* source, float* to, int64_t step) {
    int64_t k = 0;
    for (; k + LANES <= from.k; k += LANES) {
        V rows[LANES];
        for (int i = 0; i < LANES; i++) rows[i] = load(source + k + i * from.n_stride);
        transpose(rows);
        for (int i = 0; i < LANES; i++) store(to + (k + i) * step, rows[i]);
    }
    return k;
}

inline void pack_vector(const Source& from, int64_t column, float* to, int64_t step) {
    const int lanes = (int)(from.n - column < LANES ? from.n - column : LANES);
    const float* source = from.source + column * from.n_stride;
    int64_t k = from.k_stride == 1 && lanes == LANES ? pack_squares(from, source, to, step) : 0;
    for (; k < from.k; k++) {
        V v{};
        if (from.n_stride == 1)
            v = load_part(source + k * from.k_stride, lanes);
        else
            for (int i = 0; i < lanes; i++) v[i] = source[k * from.k_stride + i * from.n_stride];
        store(to + k * step, v);
    }
}

inline void pack_panel(const Source& from, int panel, float* packed) {
    const Panels panels(from.n);
    const int width = panels.width(panel);
    const int64_t first = panels.first(panel), step = width * LANES;
    float* to = packed + from.weight + first * LANES * from.total_k + from.first * step;
    for (int i = 0; i < width; i++) pack_vector(from, (first + i) * LANES, to + i * LANES, step);
}

inline void pack(const Source* sources, int64_t count, float* packed, int64_t threads) {
    for (int64_t s = 0; s < count; s++) {
        const Source& from = sources[s];
        const int panels = Panels(from.n).count;
        const bool alone = threads == 1 || from.k * from.n < 65536 || !may_have_team();
        (void)alone;  // where there is no OpenMP
#if defined(_OPENMP)
#pragma omp parallel for num_threads(alone ? 1 : (int)threads)
#endif
        for (int panel = 0; panel < panels; panel++) pack_panel(from, panel, packed);
    }
}

}  // namespace
