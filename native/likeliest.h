// The k largest of every row of logits, and the sum of their exponentials, in one pass: a tile of
// columns at a time, which may be the product of features and a packed weight. Then logits are
// never anywhere but in the nearest caches.
//
// A row's answer does not depend on the rows beside it, nor on the number of threads.
#pragma once

#include <cmath>
#include <cstdlib>

#include "pointwise.h"
#include "product.h"
#include "team.h"

namespace {

using namespace unrolled;

// The best of one row's columns so far: largest first, of equals the first.
struct Best {
    float* values;
    int64_t* columns;
    int64_t wanted, found;
    float shift;  // of the sum, which is that of exp(x - shift)
    float sum;

    float least() const { return found < wanted ? -INFINITY : values[wanted - 1]; }

    void insert(float x, int64_t column) {
        int64_t place = found < wanted ? found++ : wanted - 1;
        for (; place > 0 && values[place - 1] < x; place--) {
            values[place] = values[place - 1];
            columns[place] = columns[place - 1];
        }
        values[place] = x;
        columns[place] = column;
    }
};

// Takes what exceeds the least of the best. This is seldom: one question is asked of 8 vectors.
inline void look_for_best(Best& best, const float* x, int64_t count, int64_t column) {
    constexpr int WIDE = 8;
    auto look = [&](int64_t j, int64_t end) {
        for (; j < end; j++)
            if (x[j] > best.least()) best.insert(x[j], column + j);
    };
    int64_t j = 0;
    for (; j < count && best.found < best.wanted; j++) best.insert(x[j], column + j);
    for (; j + WIDE * LANES <= count; j += WIDE * LANES) {
        V high = load(x + j);
        for (int i = 1; i < WIDE; i++) {
            const V other = load(x + j + i * LANES);
            high = choose(other > high, other, high);  // a NaN is found by the sum
        }
        if (!any(high > best.least())) continue;
        for (int64_t at = j; at < j + WIDE * LANES; at += LANES)
            if (any(load(x + at) > best.least())) look(at, at + LANES);
    }
    look(j, count);
}

// To be called after `look_for_best`, so that no exponential is above 1. What would be below the
// smallest normal number, and slow, is made a number as small that the largest, 1, absorbs.
inline void add_exponentials(Best& best, const float* x, int64_t count) {
    const bool impossible = best.values[0] == -INFINITY;  // all so far
    const float shift = impossible ? 0.0f : best.values[0];
    if (best.sum != 0) best.sum *= expf(best.shift - shift);
    best.shift = shift;
    best.sum += sum_over(count, [=](int64_t j, int lanes) {
        return only(exponential_within(at_least(-87.0f, take(x + j, lanes) - shift)), lanes);
    });
    if (impossible && best.sum == best.sum) best.sum = 0;  // a NaN stays
}

// What one thread does for a few rows.
class Search {
   public:
    Search(const Likeliest& call, int64_t begin, int64_t end)
        : call(call), begin(begin), rows(end - begin) {}

    // Whether there was memory.
    bool run() {
        void* room = nullptr;
        const size_t bests = (sizeof(Best) * rows + 63) / 64 * 64;
        const size_t tile = call.packed ? (size_t)rows * TILE * 4 : 0;
        if (posix_memalign(&room, 64, bests + tile)) return false;
        best = (Best*)room;
        for (int64_t row = 0; row < rows; row++) {
            const int64_t place = (begin + row) * call.wanted;
            best[row] = {call.values + place, call.columns + place, call.wanted, 0, 0, 0};
        }
        call.packed ? multiply((float*)((char*)room + bests)) : read();
        for (int64_t row = 0; row < rows; row++) call.log_sums[begin + row] = logf(best[row].sum);
        free(room);
        return true;
    }

   private:
    static constexpr int PANELS = 8;                        // of a product at a time
    static constexpr int64_t TILE = PANELS * MAX_WIDTH * LANES;  // columns

    void read() {
        for (int64_t row = 0; row < rows; row++) {
            const float* x = call.a + (begin + row) * call.n;
            for (int64_t j = 0; j < call.n; j += TILE)
                visit(best[row], x + j, call.n - j < TILE ? call.n - j : TILE, j);
        }
    }

    void multiply(float* tile) {
        const Panels panels(call.n);
        const Matrix a{const_cast<float*>(call.a) + begin * call.k, call.k};
        const Matrix bias{const_cast<float*>(call.bias), 0};
        for (int panel = 0; panel < panels.count; panel += PANELS) {
            const int last = panel + PANELS < panels.count ? panel + PANELS : panels.count;
            const int64_t first = (int64_t)panels.first(panel) * LANES;
            const int64_t end = (int64_t)panels.first(last) * LANES;
            const int64_t count = (end < call.n ? end : call.n) - first;
            {
                const FlushDenormals flush;  // not of logits, which are compared as they are
                multiply_rows_by_panels(a, call.packed, call.k, call.n, bias,
                                        {tile - first, TILE}, rows, panel, last);
            }
            for (int64_t row = 0; row < rows; row++)
                visit(best[row], tile + row * TILE, count, first);
        }
    }

    static void visit(Best& best, const float* x, int64_t count, int64_t column) {
        look_for_best(best, x, count, column);
        add_exponentials(best, x, count);
    }

    const Likeliest& call;
    const int64_t begin, rows;
    Best* best = nullptr;
};

inline int64_t likeliest(const Likeliest* pointer) {
    const Likeliest& call = *pointer;
    // So few that their tile and their features stay in a second cache beside a panel; so many
    // that a panel is worth its way from memory.
    constexpr int64_t ROWS = 192;
    constexpr int64_t WORTH_A_TEAM = 1 << 18;
    const int64_t effort = call.rows * call.n * (call.packed ? call.k / 16 + 1 : 1);
    const bool alone = call.threads == 1 || effort < WORTH_A_TEAM || !may_have_team();
    int64_t chunks = (call.rows + ROWS - 1) / ROWS;
    if (!alone) chunks = (chunks + call.threads - 1) / call.threads * call.threads;
    if (chunks > call.rows) chunks = call.rows;
    int failed = 0;
#if defined(_OPENMP)
#pragma omp parallel for num_threads(alone ? 1 : (int)call.threads) reduction(| : failed)
#endif
    for (int64_t i = 0; i < chunks; i++) {
        Search search(call, call.rows * i / chunks, call.rows * (i + 1) / chunks);
        failed |= !search.run();
    }
    return failed;
}

}  // namespace
