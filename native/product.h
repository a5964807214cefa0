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
    const char* ahead;   // of the panels that come next, what this block brings closer
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

// One of the products that take the same rows to the same number of columns.
struct Term {
    Matrix a;
    const float* packed;
    int64_t k;
    Matrix init;
    Matrix out;
};

// Panels of one width, side by side.
struct Few {
    int count, width;
    int64_t column;  // the first

    int64_t columns() const { return (int64_t)count * width * LANES; }
};

// The panels from `begin` to `end`, a few at a time. Backwards they are met the other way round,
// which finds what the cache kept of the last that were used, where it is too small for all.
class Walk {
   public:
    Walk(int64_t n, int begin, int end, bool backwards)
        : panels(n), begin(begin), end(end), backwards(backwards) {}

    // The next few, which blocks of `rows` can take at once; none at the end.
    Few take(int rows) {
        if (begin >= end) return {0, 0, 0};
        const int edge = backwards ? end - 1 : begin;
        const bool wide = edge < panels.wide;
        const int low = wide || begin > panels.wide ? begin : panels.wide;
        const int high = !wide || end < panels.wide ? end : panels.wide;
        const int width = panels.width(edge);
        int count = most_panels(rows, width);
        while (count > high - low) count /= 2;
        const int first = backwards ? end - count : begin;
        (backwards ? end : begin) += backwards ? -count : count;
        return {count, width, (int64_t)panels.first(first) * LANES};
    }

   private:
    const Panels panels;
    int begin, end;  // what is left
    const bool backwards;
};

// Rows 0 to `rows` of `count` products, in the panels from `begin` to `end`: a few columns of each,
// then the next few.
inline void multiply_rows_by_panels(const Term* terms, int count, int64_t n, int64_t rows, int begin,
                                    int end, bool backwards) {
    const int blocks = (int)((rows + MAX_ROWS - 1) / MAX_ROWS);  // of nearly equal height
    if (!blocks) return;
    const int height = (int)(rows / blocks), taller = (int)(rows % blocks);
    const int tallest = height + (taller > 0);
    int64_t weights = 0;
    for (int t = 0; t < count; t++) weights += terms[t].k * n;
    // More than a second cache keeps. For one row nothing is done meanwhile: it just reads on.
    const bool far = rows > 1 && weights > 400000;
    Walk walk(n, begin, end, backwards);
    for (Few few = walk.take(tallest), next; few.count; few = next) {
        next = walk.take(tallest);
        const int64_t left = n - few.column - few.columns() + LANES;
        for (int t = 0; t < count; t++) {
            const Term& term = terms[t];
            const Term& then = terms[(t + 1) % count];
            // After the last panels come the same, in the next step.
            const Few& coming = t + 1 < count || !next.count ? few : next;
            Block block{term.a.data, term.a.pitch, term.packed + few.column * term.k, term.k,
                        term.init.data ? term.init.data + few.column : nullptr, term.init.pitch,
                        term.out.data + few.column, term.out.pitch,
                        (int)(left < LANES ? left : LANES),
                        far ? (const char*)(then.packed + coming.column * then.k)
                            : (const char*)term.a.data,
                        far ? few.columns() * 4 / blocks : 0};
            for (int i = 0; i < blocks; i++) {
                const int high = height + (i < taller);
                multiply_block(block, high, few.width, few.count);
                block.a += high * term.a.pitch;
                block.out += high * term.out.pitch;
                block.ahead += term.k * block.ahead_step;
                if (block.init) block.init += high * term.init.pitch;
            }
        }
    }
}

}  // namespace
