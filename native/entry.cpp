// The doors of the library, and the choice of the instruction set that it runs on.
#include "extend.h"
#include "program.h"
#include "ragged.h"

namespace unrolled {
#if defined(UNROLLED_X86)
extern const Path avx512_path, avx2_path;
#endif
extern const Path generic_path;
}  // namespace unrolled

using namespace unrolled;

static const Path* path_of(int64_t isa) {
#if defined(UNROLLED_X86)
    if (isa == 2) return &avx512_path;
    if (isa == 1) return &avx2_path;
#endif
    (void)isa;
    return &generic_path;
}

#define DOOR extern "C" __attribute__((visibility("default")))

// The best set that this machine has: 2 AVX-512, 1 AVX2 with FMA, 0 what every machine has.
DOOR int64_t unrolled_best_isa() {
#if defined(UNROLLED_X86)
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
    const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    return wide ? 2 : 1;
#else
    return 0;
#endif
}

DOOR int64_t unrolled_lanes(int64_t isa) { return path_of(isa)->lanes; }

DOOR void unrolled_pack(int64_t isa, const Source* sources, int64_t count, float* packed,
                   int64_t threads) {
    path_of(isa)->pack(sources, count, packed, threads);
}

// 0, or 1 where there was no memory.
DOOR int64_t unrolled_run(int64_t isa, Call* call) { return path_of(isa)->run(call); }

// 0, or 1 where there was no memory.
DOOR int64_t unrolled_likeliest(int64_t isa, const Likeliest* call) {
    return path_of(isa)->likeliest(call);
}

// 0, or 1 where there was no memory.
DOOR int64_t unrolled_extend(const Extend* call) { return extend(*call); }

DOOR void unrolled_depthwise(int64_t isa, const Depthwise* call) { path_of(isa)->depthwise(call); }

// How many, or -1 where there was no memory.
DOOR int64_t unrolled_stretches(Stretches* call) { return stretches(*call); }

DOOR void unrolled_neighbours(const int64_t* counts, int64_t steps, int64_t* before,
                              int64_t* last) {
    neighbours(counts, steps, before, last);
}

DOOR void unrolled_gather(const Gather* call) { gather(*call); }
