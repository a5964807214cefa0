// out = init + a @ weight over a few rows. The weight lies in panels of one to three vectors of
// columns, [panel][k][width], so that the innermost loop reads it straight on.
//
// Every element is one chain of multiply-adds, k upwards, whatever the shape of the block that
// computes it: what a row gives does not depend on the rows beside it.
#pragma once

#include "program.h"
#include "simd.h"

namespace {

// The largest block: 24 sums, 3 columns and 1 broadcast in 32 registers, or 12, 2 and 1 in 16.
// Without fused multiply-adds one more is needed for what is added.
constexpr int MAX_WIDTH = REGISTERS == 32 ? 3 : 2;
#if defined(__SSE2__) && !defined(__FMA__)
constexpr int MAX_ROWS = 5;
#else
constexpr int MAX_ROWS = REGISTERS == 32 ? 8 : 6;
#endif

// n columns as panels of nearly equal width: two of 2 vectors keep the units busier than 3 and 1.
struct Panels {
    int vectors, count, wide;  // the first `wide` panels have one vector more
    explicit Panels(int64_t n) {
        vectors = (int)((n + LANES - 1) / LANES);
        count = (vectors + MAX_WIDTH - 1) / MAX_WIDTH;
        wide = vectors % count;
    }
    int width(int panel) const { return vectors / count + (panel < wide); }
    int first(int panel) const {  // vectors before it
        return panel * (vectors / count) + (panel < wide ? panel : wide);
    }
};

struct Block {
    const float* a;
    int64_t a_pitch;
    const float* panel;  // the first of a few
    int64_t k;
    const float* init;  // null: zeros
    int64_t init_pitch;
    float* out;
    int64_t out_pitch;
    int last;  // lanes of the last vector that exist
    const char* ahead;   // of the panels that come next, what this block has brought closer
    int64_t ahead_step;  // bytes of it for each k
};

// M rows by P panels of W vectors.
template <int M, int P, int W>
void multiply(const Block& block) {
    constexpr int C = P * W;
    V sum[M][C];
    for (int m = 0; m < M; m++)
        for (int c = 0; c < C; c++) {
            const float* from = block.init + m * block.init_pitch + c * LANES;
            sum[m][c] = !block.init ? V{} : c < C - 1 ? load(from) : load_part(from, block.last);
        }
    const int64_t panel_floats = block.k * W * LANES;
    const float* a = block.a;
    const float* b = block.panel;
    const char* ahead = block.ahead;
    for (int64_t k = 0; k < block.k; k++, a++, b += W * LANES, ahead += block.ahead_step) {
        __builtin_prefetch(ahead, 0, 2);
        V column[C];
        for (int c = 0; c < C; c++) {
            column[c] = load(b + c / W * panel_floats + c % W * LANES);
            if (M > 1) hold(column[c]);
        }
        for (int m = 0; m < M; m++) {
            const V x = broadcast(a[m * block.a_pitch]);
            for (int c = 0; c < C; c++) sum[m][c] += x * column[c];
        }
    }
    for (int m = 0; m < M; m++)
        for (int c = 0; c < C; c++) {
            float* to = block.out + m * block.out_pitch + c * LANES;
            c < C - 1 ? store(to, sum[m][c]) : store_part(to, sum[m][c], block.last);
        }
}

// Few rows leave registers for several panels, whose sums hide each other's latency.
constexpr int most_panels(int rows, int width) {
    for (int panels = 4; panels > 1; panels /= 2)
        if ((rows + (rows > 1)) * panels * width + 1 <= REGISTERS) return panels;
    return 1;
}

template <int M, int W>
void multiply_panels(const Block& block, int panels) {
    constexpr int MOST = most_panels(M, W);
    if constexpr (MOST >= 4)
        if (panels == 4) return multiply<M, 4, W>(block);
    if constexpr (MOST >= 2)
        if (panels == 2) return multiply<M, 2, W>(block);
    multiply<M, 1, W>(block);
}

template <int M>
void multiply_rows(const Block& block, int width, int panels) {
    if constexpr (MAX_WIDTH >= 3)
        if (width == 3) return multiply_panels<M, 3>(block, panels);
    if (width == 2) return multiply_panels<M, 2>(block, panels);
    multiply_panels<M, 1>(block, panels);
}

inline void multiply_block(const Block& block, int rows, int width, int panels) {
    switch (rows) {
        case 1: return multiply_rows<1>(block, width, panels);
        case 2: return multiply_rows<2>(block, width, panels);
        case 3: return multiply_rows<3>(block, width, panels);
        case 4: return multiply_rows<4>(block, width, panels);
        case 5: if constexpr (MAX_ROWS >= 5) return multiply_rows<5>(block, width, panels); break;
        case 6: if constexpr (MAX_ROWS >= 6) return multiply_rows<6>(block, width, panels); break;
        case 7: if constexpr (MAX_ROWS >= 7) return multiply_rows<7>(block, width, panels); break;
        case 8: if constexpr (MAX_ROWS >= 8) return multiply_rows<8>(block, width, panels); break;
    }
}

struct Matrix {
    float* data;  // null: none
    int64_t pitch;
};

// Rows 0 to `rows` of a product, in the panels from `begin` to `end`.
inline void multiply_rows_by_panels(Matrix a, const float* packed, int64_t k, int64_t n, Matrix init,
                                    Matrix out, int64_t rows, int begin, int end) {
    const Panels panels(n);
    const int blocks = (int)((rows + MAX_ROWS - 1) / MAX_ROWS);  // of nearly equal height
    if (!blocks) return;
    const int height = (int)(rows / blocks), taller = (int)(rows % blocks);
    for (int panel = begin, group; panel < end; panel += group) {
        const int width = panels.width(panel);
        const int other = panel < panels.wide ? panels.wide : panels.count;  // of another width
        const int same = (other < end ? other : end) - panel;
        group = most_panels(height + (taller > 0), width);  // what the tallest block can take
        while (group > same) group /= 2;
        const int64_t column = (int64_t)panels.first(panel) * LANES;
        const int64_t left = n - column - (int64_t)(group * width - 1) * LANES;
        const bool far = k * n > 400000;  // more than a second cache keeps
        const int next = panel + group < end ? panel + group : begin;
        const int64_t ahead_step = far ? (int64_t)width * group * LANES * 4 / blocks : 0;
        Block block{a.data, a.pitch, packed + column * k, k,
                    init.data ? init.data + column : nullptr, init.pitch,
                    out.data + column, out.pitch, (int)(left < LANES ? left : LANES),
                    far ? (const char*)(packed + (int64_t)panels.first(next) * LANES * k)
                        : (const char*)a.data,
                    ahead_step};
        for (int i = 0; i < blocks; i++) {
            const int high = height + (i < taller);
            multiply_block(block, high, width, group);
            block.a += high * a.pitch;
            block.out += high * out.pitch;
            block.ahead += k * ahead_step;
            if (block.init) block.init += high * init.pitch;
        }
    }
}

}  // namespace
