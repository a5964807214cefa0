// Rows of unequal length: which are active when, and copies of rows from where they lie.
#pragma once

#include <cstdlib>
#include <cstring>

#include "program.h"
#include "team.h"

namespace {

using namespace unrolled;

// Every stretch of a row between resets; `naive.stretches` says what comes out.
class Cutting {
   public:
    explicit Cutting(Stretches& call)
        : call(call), starts((int64_t*)malloc((size_t)(call.room + call.steps + 1) * 8)),
          offsets(starts + call.room) {}
    ~Cutting() { free(starts); }

    bool has_room() const { return starts; }

    // How many there are.
    int64_t run() {
        memset(offsets, 0, (size_t)(call.steps + 1) * 8);
        for (int64_t row = 0; row < call.batch; row++) cut(row, [&](int64_t, int64_t length) {
            offsets[length]++;
        });
        // From how many are so long to how many are longer, which is where the first of these goes.
        int64_t count = 0;
        for (int64_t length = call.steps; length > 0; length--) {
            const int64_t own = offsets[length];
            offsets[length] = count;
            count += own;
            call.counts[length - 1] = count;  // more than length - 1 steps
        }
        call.anew = call.without = 0;
        for (int64_t row = 0; row < call.batch; row++) {
            call.home[row] = -1;
            cut(row, [&](int64_t start, int64_t length) {
                const int64_t place = offsets[length]++;
                call.row[place] = row;
                const uint8_t anew = call.resets[row * call.steps + start];
                call.begins_anew[place] = anew;
                call.anew += anew;
                call.home[row] = place;
                starts[place] = start;
            });
            call.without += call.home[row] < 0;
        }
        place_steps();
        return count;
    }

   private:
    template <class F>
    void cut(int64_t row, F found) const {
        const int64_t end = call.lengths[row] < call.steps ? call.lengths[row] : call.steps;
        const uint8_t* resets = call.resets + row * call.steps;
        for (int64_t start = 0, next; start < end; start = next) {
            const void* reset = memchr(resets + start + 1, 1, (size_t)(end - start - 1));
            next = reset ? (const uint8_t*)reset - resets : end;
            found(start, next - start);
        }
    }

    void place_steps() const {
        for (int64_t i = 0; i < call.batch * call.steps; i++) call.inverse[i] = -1;
        int64_t sequence = 0;
        for (int64_t t = 0; t < call.steps; t++)
            for (int64_t i = 0; i < call.counts[t]; i++, sequence++) {
                const int64_t place = call.row[i] * call.steps + starts[i] + t;
                call.places[sequence] = place;
                call.inverse[place] = sequence;
            }
    }

    Stretches& call;
    int64_t* const starts;
    int64_t* const offsets;  // by length
};

// How many stretches there are, or -1 where there was no memory.
inline int64_t stretches(Stretches& call) {
    Cutting cutting(call);
    return cutting.has_room() ? cutting.run() : -1;
}

// For each row of each step where the state before it is, and for each sequence its last one.
inline void neighbours(const int64_t* counts, int64_t steps, int64_t* before, int64_t* last) {
    int64_t sequence = 0, previous = 0;  // where the states before this step begin
    for (int64_t t = 0; t < steps; t++) {
        const int64_t here = counts[0] + sequence;
        for (int64_t i = 0; i < counts[t]; i++, sequence++) {
            before[sequence] = previous + i;
            last[i] = here + i;
        }
        previous = here;
    }
}

// Rows from where an index says; 0 where it says -1.
inline void gather(const Gather& call) {
    if (call.bytes == 0) return;               // there may be no memory to copy from
    constexpr int64_t WORTH_A_TEAM = 1 << 18;  // bytes
    const bool alone = call.threads == 1 || call.rows * call.bytes < WORTH_A_TEAM || !may_have_team();
    (void)alone;  // where there is no OpenMP
#if defined(_OPENMP)
#pragma omp parallel for num_threads(alone ? 1 : (int)call.threads)
#endif
    for (int64_t row = 0; row < call.rows; row++) {
        char* const to = call.to + row * call.bytes;
        if (call.index[row] < 0)
            memset(to, 0, (size_t)call.bytes);
        else
            memcpy(to, call.origin + call.index[row] * call.bytes, (size_t)call.bytes);
    }
}

}  // namespace
