// A depthwise convolution of the newest of a few frames, channels last: every channel's taps in
// time, height and width, for one row of places at a time. Zeros stand beyond the borders.
#pragma once

#include "program.h"
#include "simd.h"
#include "team.h"

namespace {

using namespace unrolled;

constexpr int SIDE_BY_SIDE = 4;  // places of a block
constexpr int ABREAST = REGISTERS == 32 ? 2 : 1;  // vectors of channels of a block
alignas(64) const float ZEROS[ABREAST * LANES] = {};

class DepthwiseRow {
   public:
    // Row `y` of the output of picture `number`.
    DepthwiseRow(const Depthwise& call, int64_t number, int64_t y)
        : call(call), picture(number * call.height * call.width * call.channels),
          out(call.out + (number * call.out_height + y) * call.out_width * call.channels),
          top(y * call.stride - call.pad_height) {}

    void run() {
        if (call.kernel_width == 3 && call.stride == 1)
            all_channels<true>();
        else
            all_channels<false>();
    }

   private:
    // The last vectors reach back to channels that were done already rather than beyond the end.
    template <bool TRIPLE>
    void all_channels() {
        constexpr int64_t WIDE = ABREAST * LANES;
        const int64_t channels = call.channels;
        if (channels < LANES) return all_places<1, false, TRIPLE>(0);
        int64_t c = 0;
        for (; c + WIDE <= channels; c += WIDE) all_places<ABREAST, true, TRIPLE>(c);
        if (channels >= WIDE && channels - c > LANES)
            return all_places<ABREAST, true, TRIPLE>(channels - WIDE);
        for (; c < channels; c += LANES)
            all_places<1, true, TRIPLE>(c + LANES > channels ? channels - LANES : c);
    }

    template <int P, bool WHOLE, bool TRIPLE>
    void all_places(int64_t c) {
        int64_t x = 0;
        for (; x + SIDE_BY_SIDE <= call.out_width; x += SIDE_BY_SIDE) {
            const int64_t left = x * call.stride - call.pad_width;
            const int64_t right = left + (SIDE_BY_SIDE - 1) * call.stride + call.kernel_width;
            if (left >= 0 && right <= call.width)
                places<SIDE_BY_SIDE, P, WHOLE, TRIPLE, true>(x, c);
            else
                places<SIDE_BY_SIDE, P, WHOLE, TRIPLE, false>(x, c);
        }
        switch (call.out_width - x) {
            case 1: return places<1, P, WHOLE, TRIPLE, false>(x, c);
            case 2: return places<2, P, WHOLE, TRIPLE, false>(x, c);
            case 3: return places<3, P, WHOLE, TRIPLE, false>(x, c);
        }
    }

    template <bool WHOLE>
    V part(const float* p) const {
        if constexpr (WHOLE) return load(p);
        return load_part(p, (int)call.channels);
    }

    // N places by P vectors of channels, whose weights are read once. INSIDE, none sees a border;
    // TRIPLE, three taps lie side by side and move by one, so that each column is read once.
    template <int N, int P, bool WHOLE, bool TRIPLE, bool INSIDE>
    void places(int64_t x, int64_t c) {
        const int64_t C = call.channels, left = x * call.stride - call.pad_width;
        const int64_t first = top < 0 ? -top : 0, under = call.height - top;
        const int64_t last = under < call.kernel_height ? under : call.kernel_height;
        V sum[N][P];
        for (int n = 0; n < N; n++)
            for (int v = 0; v < P; v++)
                sum[n][v] = call.bias ? part<WHOLE>(call.bias + c + v * LANES) : V{};
        for (int64_t t = 0; t < call.taps; t++)
            for (int64_t i = first; i < last; i++) {
                const float* const line = call.frames[t] + picture + (top + i) * call.width * C + c;
                const float* weight =
                    call.weight + (t * call.kernel_height + i) * call.kernel_width * C + c;
                const auto column = [&](int64_t at) {
                    return INSIDE || (uint64_t)at < (uint64_t)call.width ? line + at * C : ZEROS;
                };
                if constexpr (TRIPLE) {
                    V w[3][P];
                    for (int j = 0; j < 3; j++)
                        for (int v = 0; v < P; v++) w[j][v] = part<WHOLE>(weight + j * C + v * LANES);
                    for (int q = 0; q < N + 2; q++) {
                        const float* const from = column(left + q);
                        for (int v = 0; v < P; v++) {
                            const V a = part<WHOLE>(from + v * LANES);
                            for (int j = 0; j < 3; j++)
                                if (q - j >= 0 && q - j < N) sum[q - j][v] += w[j][v] * a;
                        }
                    }
                } else {
                    for (int64_t j = 0; j < call.kernel_width; j++, weight += C)
                        for (int v = 0; v < P; v++) {
                            const V w = part<WHOLE>(weight + v * LANES);
                            for (int n = 0; n < N; n++)
                                sum[n][v] += w * part<WHOLE>(column(left + n * call.stride + j) + v * LANES);
                        }
                }
            }
        for (int n = 0; n < N; n++)
            for (int v = 0; v < P; v++) {
                V& y = sum[n][v];
                float* const to = out + (x + n) * C + c + v * LANES;
                if (call.rectifies) y = choose((y > 0.0f) | (y != y), y, V{});
                WHOLE ? store(to, y) : store_part(to, y, (int)C);
            }
    }

    const Depthwise& call;
    const int64_t picture;
    float* const out;
    const int64_t top;
};

inline void depthwise(const Depthwise* pointer) {
    const Depthwise& call = *pointer;
    constexpr int64_t WORTH_A_TEAM = 400000;  // multiply-adds: about 15 microseconds
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
