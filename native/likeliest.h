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

// The best of some of a row's columns so far: largest first, of equals the first.
struct Best {
    float* values;
    int64_t* columns;
    int64_t wanted, found;

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

// The sum of exp(x - top) over a group of columns, whose largest is the top.
struct Sum {
    float top, sum;
};

// The largest, but for NaN, which the sum of exponentials finds.
inline float largest_of(const float* x, int64_t count) {
    V high[4];
    for (V& v : high) v = broadcast(-INFINITY);
    int64_t j = 0;
    for (; j + 4 * LANES <= count; j += 4 * LANES)
        for (int i = 0; i < 4; i++) {
            const V other = load(x + j + i * LANES);
            high[i] = choose(other > high[i], other, high[i]);
        }
    float lanes[4 * LANES], largest = -INFINITY;
    memcpy(lanes, high, sizeof lanes);
    for (float lane : lanes) largest = lane > largest ? lane : largest;
    for (; j < count; j++) largest = x[j] > largest ? x[j] : largest;
    return largest;
}

// Takes what exceeds the least of the best, which is seldom.
inline void look_for_best(Best& best, const float* x, int64_t count, int64_t column) {
    int64_t j = 0;
    for (; j < count && best.found < best.wanted; j++) best.insert(x[j], column + j);
    auto look = [&](int64_t end) {
        for (; j < end; j++)
            if (x[j] > best.least()) best.insert(x[j], column + j);
    };
    while (j + LANES <= count)
        if (any(load(x + j) > best.least())) look(j + LANES);
        else j += LANES;
    look(count);
}

// No exponential is above 1. What would be below the smallest normal number, and slow, is made a
// number so small that the largest, 1, absorbs it.
inline void add_exponentials(Sum& sum, const float* x, int64_t count, float largest) {
    const bool impossible = sum.top == -INFINITY && largest == -INFINITY;  // all so far
    if (largest > sum.top) {
        if (sum.sum != 0) sum.sum *= expf(sum.top - largest);
        sum.top = largest;
    }
    const float shift = impossible ? 0.0f : sum.top;
    sum.sum += sum_over(count, [=](int64_t j, int lanes) {
        return only(exponential_within(at_least(-87.0f, take(x + j, lanes) - shift)), lanes);
    });
    if (impossible && sum.sum == sum.sum) sum.sum = 0;  // a NaN stays
}

constexpr int PANELS_OF_TILE = 8;                                    // of a product at a time
constexpr int64_t TILE_COLUMNS = PANELS_OF_TILE * MAX_WIDTH * LANES;

// How a search is cut. Columns come in groups of a few tiles, each with a sum of its own, that of
// the whole row being theirs in their order; then it does not matter who looked at which. Many rows
// are shared among the threads by rows; of few each thread looks at some groups.
struct Cut {
    int64_t groups, panels, chunks, parts;  // of columns; of rows; of groups

    Cut(const Likeliest& call, int64_t threads) {
        // So few rows that their tile and their features stay in a second cache beside a panel; so
        // many that a panel is worth its way from memory.
        constexpr int64_t ROWS = 192, FEW_ROWS = 8, TILES = 4;
        panels = Panels(call.n).count;
        groups = (panels + TILES * PANELS_OF_TILE - 1) / (TILES * PANELS_OF_TILE);
        chunks = (call.rows + ROWS - 1) / ROWS;
        parts = 1;
        if (call.rows >= FEW_ROWS * threads) chunks = (chunks + threads - 1) / threads * threads;
        else parts = threads < groups ? threads : groups;
    }
    int64_t row(const Likeliest& call, int64_t chunk) const { return call.rows * chunk / chunks; }
    int64_t group(int64_t part) const { return groups * part / parts; }
    int panel(int64_t group) const { return (int)(panels * group / groups); }
};

// What was found of every row: by each part of the groups its best, and each group's sum.
class Found {
   public:
    Found(const Likeliest& call, const Cut& cut) : call(call), cut(cut) {
        const int64_t each = call.rows * cut.parts, numbers = each * call.wanted;
        const int64_t sums_count = call.rows * cut.groups;
        const int64_t bytes = each * sizeof(Best) + numbers * 12 + sums_count * sizeof(Sum);
        if (posix_memalign(&room, 64, (size_t)bytes)) return;
        bests = (Best*)room;
        int64_t* const columns = (int64_t*)(bests + each);
        float* const values = (float*)(columns + numbers);
        sums = (Sum*)(values + numbers);
        for (int64_t i = 0; i < each; i++)
            bests[i] = {values + i * call.wanted, columns + i * call.wanted, call.wanted, 0};
        for (int64_t i = 0; i < sums_count; i++) sums[i] = {-INFINITY, 0};
    }
    ~Found() { free(room); }

    bool has_room() const { return bests; }
    Best& best(int64_t part, int64_t row) { return bests[part * call.rows + row]; }
    Sum& sum(int64_t group, int64_t row) { return sums[group * call.rows + row]; }

    void put_together(int64_t row) {
        const int64_t place = row * call.wanted;
        Best all{call.values + place, call.columns + place, call.wanted, 0};
        for (int64_t part = 0; part < cut.parts; part++) {
            const Best& one = best(part, row);
            for (int64_t i = 0; i < one.found; i++)
                if (all.found < all.wanted || one.values[i] > all.least())
                    all.insert(one.values[i], one.columns[i]);
        }
        float top = -INFINITY, whole = 0;
        for (int64_t g = 0; g < cut.groups; g++) top = sum(g, row).top > top ? sum(g, row).top : top;
        for (int64_t g = 0; g < cut.groups; g++)
            if (sum(g, row).sum != 0) whole += sum(g, row).sum * expf(sum(g, row).top - top);
        call.log_sums[row] = logf(whole);
    }

   private:
    const Likeliest& call;
    const Cut& cut;
    void* room = nullptr;
    Best* bests = nullptr;
    Sum* sums = nullptr;
};

// What one thread does: some groups of columns of some rows.
class Search {
   public:
    Search(const Likeliest& call, const Cut& cut, Found& found, int64_t chunk, int64_t part)
        : call(call), cut(cut), found(found), part(part), begin(cut.row(call, chunk)),
          rows(cut.row(call, chunk + 1) - begin) {}

    // Whether there was memory.
    bool run() {
        void* tile = nullptr;
        if (call.packed && posix_memalign(&tile, 64, (size_t)(rows * TILE_COLUMNS * 4))) return false;
        for (int64_t group = cut.group(part); group < cut.group(part + 1); group++)
            for (int panel = cut.panel(group); panel < cut.panel(group + 1); panel += PANELS_OF_TILE)
                look(group, panel, (float*)tile);
        free(tile);
        return true;
    }

   private:
    // A tile of columns, from a panel on.
    void look(int64_t group, int panel, float* tile) {
        const Panels panels(call.n);
        const int end = cut.panel(group + 1);
        const int last = panel + PANELS_OF_TILE < end ? panel + PANELS_OF_TILE : end;
        const int64_t column = (int64_t)panels.first(panel) * LANES;
        const int64_t stop = (int64_t)panels.first(last) * LANES;
        const int64_t count = (stop < call.n ? stop : call.n) - column;
        if (call.packed) {
            const FlushDenormals flush;  // not of logits, which are compared as they are
            const Term term{{const_cast<float*>(call.a) + begin * call.k, call.k}, call.packed, call.k,
                            {const_cast<float*>(call.bias), 0}, {tile - column, TILE_COLUMNS}};
            multiply_rows_by_panels(&term, 1, call.n, rows, panel, last, false);
        }
        for (int64_t row = 0; row < rows; row++) {
            const float* x = call.packed ? tile + row * TILE_COLUMNS
                                         : call.a + (begin + row) * call.n + column;
            const float largest = largest_of(x, count);
            Best& best = found.best(part, begin + row);
            if (best.found < best.wanted || largest > best.least())
                look_for_best(best, x, count, column);
            add_exponentials(found.sum(group, begin + row), x, count, largest);
        }
    }

    const Likeliest& call;
    const Cut& cut;
    Found& found;
    const int64_t part, begin, rows;
};

inline int64_t likeliest(const Likeliest* pointer) {
    const Likeliest& call = *pointer;
    if (call.rows == 0) return 0;
    constexpr int64_t WORTH_A_TEAM = 1 << 18;
    const int64_t effort = call.rows * call.n * (call.packed ? call.k / 16 + 1 : 1);
    const bool alone = call.threads == 1 || effort < WORTH_A_TEAM || !may_have_team();
    const Cut cut(call, alone ? 1 : call.threads);
    Found found(call, cut);
    if (!found.has_room()) return 1;
    int failed = 0;
#if defined(_OPENMP)
#pragma omp parallel for num_threads(alone ? 1 : (int)call.threads) reduction(| : failed)
#endif
    for (int64_t i = 0; i < cut.chunks * cut.parts; i++)
        failed |= !Search(call, cut, found, i / cut.parts, i % cut.parts).run();
    for (int64_t row = 0; row < call.rows && !failed; row++) found.put_together(row);
    return failed;
}

}  // namespace
