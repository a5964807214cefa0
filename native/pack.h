// Weights into panels, see product.h.
#pragma once

#include "product.h"
#include "team.h"

namespace {

using namespace unrolled;

inline void pack_vector(const Source& from, int64_t column, float* to, int64_t step) {
    const int lanes = (int)(from.n - column < LANES ? from.n - column : LANES);
    const float* source = from.source + column * from.n_stride;
    for (int64_t k = 0; k < from.k; k++) {
        V v{};
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
