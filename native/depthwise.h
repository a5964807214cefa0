// A depthwise convolution of the newest of a few frames, channels last: every channel's taps in
// time, height and width, for one row of places at a time. Zeros stand beyond the borders.
#pragma once

#include "program.h"
#include "simd.h"
#include "team.h"

namespace {

using namespace unrolled;

class DepthwiseRow {
   public:
    // Row `y` of the output of picture `number`.
    DepthwiseRow(const Depthwise& call, int64_t number, int64_t y)
        : call(call), picture(number * call.height * call.width * call.channels),
          out(call.out + (number * call.out_height + y) * call.out_width * call.channels),
          top(y * call.stride - call.pad_height) {}

    void run() {
        // Places between these see no border to the left or to the right.
        int64_t begin = (call.pad_width + call.stride - 1) / call.stride;
        int64_t end = (call.width - call.kernel_width + call.pad_width) / call.stride;
        if (call.width + call.pad_width < call.kernel_width) end = -1;
        if (end > call.out_width - 1) end = call.out_width - 1;
        const int64_t whole = call.channels / LANES * LANES;
        for (int64_t c = 0; c < whole; c += LANES) column<true>(c, begin, end);
        if (whole < call.channels) column<false>(whole, begin, end);
    }

   private:
    // All places, for one vector of channels.
    template <bool WHOLE>
    void column(int64_t c, int64_t begin, int64_t end) {
        int64_t x = 0;
        for (; x < begin && x < call.out_width; x++) places<1, WHOLE>(x, c);
        for (; x + 3 <= end; x += 4) places<4, WHOLE>(x, c);
        for (; x < call.out_width; x++) places<1, WHOLE>(x, c);
    }

    template <bool WHOLE>
    V part(const float* p, int lanes) const {
        if constexpr (WHOLE) return load(p);
        return load_part(p, lanes);
    }

    // N places side by side, whose weights are read once; more than one see no border.
    template <int N, bool WHOLE>
    void places(int64_t x, int64_t c) {
        const int64_t C = call.channels, step = call.stride * C, line = call.width * C;
        const int64_t left = x * call.stride - call.pad_width, right = call.width - left;
        const int64_t begin = N == 1 && left < 0 ? -left : 0;
        const int64_t end = N == 1 && right < call.kernel_width ? right : call.kernel_width;
        const int64_t first = top < 0 ? -top : 0, under = call.height - top;
        const int64_t last = under < call.kernel_height ? under : call.kernel_height;
        const int lanes = WHOLE ? LANES : (int)(C - c);
        V sum[N];
        for (int n = 0; n < N; n++) sum[n] = call.bias ? part<WHOLE>(call.bias + c, lanes) : V{};
        for (int64_t t = 0; t < call.taps; t++)
            for (int64_t i = first; i < last; i++) {
                const float* from = call.frames[t] + picture + c + (top + i) * line + (left + begin) * C;
                const float* weight =
                    call.weight + ((t * call.kernel_height + i) * call.kernel_width + begin) * C + c;
                for (int64_t j = begin; j < end; j++, from += C, weight += C) {
                    const V w = part<WHOLE>(weight, lanes);
                    for (int n = 0; n < N; n++) sum[n] += w * part<WHOLE>(from + n * step, lanes);
                }
            }
        float* to = out + x * C + c;
        for (int n = 0; n < N; n++, to += C) {
            if (call.rectifies) sum[n] = choose((sum[n] > 0.0f) | (sum[n] != sum[n]), sum[n], V{});
            WHOLE ? store(to, sum[n]) : store_part(to, sum[n], lanes);
        }
    }

    const Depthwise& call;
    const int64_t picture;
    float* const out;
    const int64_t top;
};

inline void depthwise(const Depthwise* pointer) {
    const Depthwise& call = *pointer;
    constexpr int64_t WORTH_A_TEAM = 2000000;
    const int64_t taps = call.taps * call.kernel_height * call.kernel_width;
    const int64_t rows = call.count * call.out_height;
    const bool alone = call.threads == 1 || !may_have_team() ||
                       rows * call.out_width * call.channels * taps < WORTH_A_TEAM;
    (void)alone;  // where there is no OpenMP
#if defined(_OPENMP)
#pragma omp parallel for num_threads(alone ? 1 : (int)call.threads)
#endif
    for (int64_t row = 0; row < rows; row++) {
        const FlushDenormals flush;
        DepthwiseRow(call, row / call.out_height, row % call.out_height).run();
    }
}

}  // namespace
