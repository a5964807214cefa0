// Threads that run one loop over time together, and the mode of their floating point units.
#pragma once

#include <cstdint>

#if defined(_OPENMP)
#include <omp.h>
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <sched.h>
#endif

namespace {

inline void pause() {
#if defined(__SSE2__)
    _mm_pause();
#endif
}

// Numbers too small to be normal cost a hundred cycles each: they are 0 while this exists.
class FlushDenormals {
   public:
#if defined(__SSE2__)
    FlushDenormals() : before(_mm_getcsr()) { _mm_setcsr(before | 0x8040); }
    ~FlushDenormals() { _mm_setcsr(before); }

   private:
    unsigned before;
#elif defined(__aarch64__)
    FlushDenormals() {
        asm volatile("mrs %0, fpcr" : "=r"(before));
        asm volatile("msr fpcr, %0" ::"r"(before | (1ull << 24)));
    }
    ~FlushDenormals() { asm volatile("msr fpcr, %0" ::"r"(before)); }

   private:
    uint64_t before;
#endif
};

// All threads wait here for the last. They spin, since a step takes microseconds, but not for
// long: the core that they wait for may be lent to another program.
class Barrier {
   public:
    void wait(int threads) {
        if (threads == 1) return;
        const int mine = __atomic_load_n(&generation, __ATOMIC_RELAXED);
        if (__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL) == threads) {
            __atomic_store_n(&arrived, 0, __ATOMIC_RELAXED);
            __atomic_store_n(&generation, mine + 1, __ATOMIC_RELEASE);
            return;
        }
        for (int tries = 0; __atomic_load_n(&generation, __ATOMIC_ACQUIRE) == mine; tries++) {
            pause();
#if defined(__unix__) || defined(__APPLE__)
            if (tries > 100) sched_yield();  // about 5 microseconds
#endif
        }
    }

   private:
    alignas(64) int arrived = 0;
    alignas(64) int generation = 0;
};

inline int team_rank() {
#if defined(_OPENMP)
    return omp_get_thread_num();
#else
    return 0;
#endif
}

inline int team_size() {
#if defined(_OPENMP)
    return omp_get_num_threads();
#else
    return 1;
#endif
}

inline bool may_have_team() {
#if defined(_OPENMP)
    return !omp_in_parallel();
#else
    return false;
#endif
}

}  // namespace
