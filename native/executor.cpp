// A program driven over time, compiled once for each instruction set (ISA).
#include <cstdlib>

#include "depthwise.h"
#include "likeliest.h"
#include "pack.h"
#include "pointwise.h"
#include "product.h"
#include "team.h"

namespace {

struct Range {
    int64_t begin, end;
};

// The share of one thread of `count` things.
inline Range share(int64_t count, int rank, int size) {
    return {count * rank / size, count * (rank + 1) / size};
}

// What one thread knows while it runs a program.
class Runner {
   public:
    Runner(const Call& call, Barrier& barrier, int rank, int size, bool by_rows, float* between,
           float* scratch, double* totals, float** places)
        : call(call), program(*call.program), barrier(barrier), rank(rank), size(size),
          by_rows(by_rows), between(between), scratch(scratch), totals(totals), places(places) {}

    void run() {
        int64_t offset = 0, t = 0;
        if (program.reverse) {
            for (int64_t i = 0; i < call.steps; i++) offset += call.counts[i];
            for (t = call.steps - 1; t >= 0; t--) step(t, offset -= call.counts[t]);
        } else {
            for (t = 0; t < call.steps; offset += call.counts[t++]) step(t, offset);
        }
    }

   private:
    void step(int64_t t, int64_t offset) {
        const int64_t count = call.counts[t];
        if (count == 0) return;
        // Where the split between threads moves, a row's last step may be another thread's.
        if (by_rows && last_count && count != last_count) barrier.wait(size);
        last_count = count;
        place_rows(t, offset);
        const Range mine = share(count, rank, size);
        const bool backwards = (call.taken + t) % 2;
        for (int64_t s = 0; s < program.stage_count; s++) {
            const Stage& stage = program.stages[s];
            if (!stage.is_product) {
                pointwise(stage, mine);
            } else {
                multiply(stage, by_rows ? mine : Range{0, count}, backwards);
            }
            if (!by_rows) barrier.wait(size);
        }
    }

    // Row 0 of this step in every buffer.
    void place_rows(int64_t t, int64_t offset) {
        for (int64_t i = 0; i < program.buffer_count; i++) {
            const Buffer& buffer = program.buffers[i];
            int64_t row = 0;
            if (buffer.kind == SEQUENCE) row = offset;
            if (buffer.kind == PREVIOUS && t > 0)
                row = call.counts[0] + offset - call.counts[t - 1];
            float* const first = buffer.kind == BETWEEN ? between + buffer.place * call.counts[0]
                                                        : call.tensors[i];
            places[i] = first ? first + row * buffer.width : nullptr;
        }
    }

    int64_t pitch(Operand operand) const {
        const Buffer& buffer = program.buffers[operand.buffer];
        return buffer.kind == VECTOR ? 0 : buffer.width;
    }

    Matrix matrix(Operand operand, int64_t row) const {
        if (operand.buffer < 0) return {nullptr, 0};
        const int64_t step = pitch(operand);
        return {places[operand.buffer] + operand.column + row * step, step};
    }

    void multiply(const Stage& stage, Range rows, bool backwards) {
        const Product* const products = program.products + stage.first;
        Term terms[MAX_TERMS];
        for (int32_t i = 0; i < stage.count; i++) {
            const Product& product = products[i];
            terms[i] = {matrix(product.a, rows.begin), call.packed + product.weight, product.k,
                        matrix(product.init, rows.begin), matrix(product.out, rows.begin)};
        }
        const int panels = Panels(products->n).count;
        const Range part = by_rows ? Range{0, panels} : share(panels, rank, size);
        multiply_rows_by_panels(terms, stage.count, products->n, rows.end - rows.begin,
                                (int)part.begin, (int)part.end, backwards);
    }

    void pointwise(const Stage& stage, Range rows) {
        const Instruction* instructions = program.instructions + stage.first;
        for (int64_t row = rows.begin; row < rows.end; row += stage.tile_rows) {
            const int64_t left = rows.end - row;
            const int64_t high = left < stage.tile_rows ? left : stage.tile_rows;
            for (int32_t i = 0; i < stage.count; i++)
                instruct(instructions[i], row, high, stage.tile_rows);
        }
    }

    void instruct(const Instruction& instruction, int64_t row, int64_t rows, int64_t tile_rows) {
        Work work{};
        work.rows = rows;
        work.n = instruction.n;
        work.value = instruction.value;
        for (int i = 0; i < 3; i++) {
            const Operand operand = instruction.args[i];
            if (operand.buffer < 0) break;
            const Matrix place = in_tile(operand, row, tile_rows);
            work.args[i] = place.data;
            work.pitches[i] = place.pitch;
        }
        const Buffer& out = program.buffers[instruction.out.buffer];
        if (out.kind == TOTAL_ROW) {
            work.total = totals + out.place + instruction.out.column;
        } else {
            const Matrix place = in_tile(instruction.out, row, tile_rows);
            work.out = place.data;
            work.out_pitch = place.pitch;
        }
        execute(instruction.op, work);
    }

    Matrix in_tile(Operand operand, int64_t row, int64_t tile_rows) const {
        const Buffer& buffer = program.buffers[operand.buffer];
        if (buffer.kind != TILE) return matrix(operand, row);
        return {scratch + buffer.place * tile_rows + operand.column, buffer.width};
    }

    const Call& call;
    const Program& program;
    Barrier& barrier;
    const int rank, size;
    const bool by_rows;
    float* between;  // of all threads
    float* scratch;
    double* totals;
    float** places;
    int64_t last_count = 0;
};

// Of one row and step: multiply-adds of the products, and with those that instructions cost.
struct Effort {
    int64_t weights = 0, all = 0;

    explicit Effort(const Program& program) {
        for (int64_t s = 0; s < program.stage_count; s++) {
            const Stage& stage = program.stages[s];
            if (stage.is_product) {
                for (int32_t i = 0; i < stage.count; i++) {
                    const Product& product = program.products[stage.first + i];
                    weights += (int64_t)product.n * product.k;
                }
            } else {
                for (int32_t i = 0; i < stage.count; i++)
                    all += 16 * program.instructions[stage.first + i].n;
            }
        }
        all += weights;
    }
};

// By rows, threads never wait for each other, but each reads all weights at each step; by columns
// each reads its own, which then stay in its cache, and they wait after each stage.
inline bool split_by_rows(const Call& call) {
    if (call.split != AUTOMATIC || call.steps == 0) return call.split != BY_COLUMNS;
    constexpr int64_t CACHED_WEIGHTS = 400000;  // 1.6 MB, of a second cache of 1 to 2 MB
    constexpr int64_t MANY_ROWS = 128;  // of a thread: products take far longer than to read weights
    if (call.counts[0] >= MANY_ROWS * call.threads) return true;
    return call.counts[0] >= 4 * call.threads && Effort(*call.program).weights < CACHED_WEIGHTS;
}

inline int team_for(const Call& call, bool by_rows) {
    if (call.threads == 1 || !may_have_team()) return 1;
    if (call.split != AUTOMATIC) return (int)call.threads;
    constexpr int64_t WORTH_A_TEAM = 4000000;   // about 50 microseconds; to wake threads costs 5
    constexpr int64_t WORTH_A_WAIT = 150000;  // of a step: 2 microseconds; to wait costs 0.3
    const int64_t effort = Effort(*call.program).all;
    int64_t rows = 0;
    for (int64_t t = 0; t < call.steps; t++) rows += call.counts[t];
    if (rows * effort < WORTH_A_TEAM) return 1;
    return by_rows || rows / call.steps * effort > WORTH_A_WAIT ? (int)call.threads : 1;
}

inline int64_t rounded(int64_t bytes) { return (bytes + 63) / 64 * 64; }

// What each thread has for itself, one after the other in one piece of memory.
struct Memory {
    int64_t scratch, totals, places;  // bytes

    explicit Memory(const Program& program)
        : scratch(rounded(program.scratch_floats * 4)), totals(rounded(program.total_numbers * 8)),
          places(rounded(program.buffer_count * 8)) {}
    int64_t size() const { return scratch + totals + places; }
};

// The threads' sums, added in the order of the threads.
inline void add_totals(const Call& call, const Memory& memory, const char* base, int team) {
    for (int64_t i = 0; i < call.program->buffer_count; i++) {
        const Buffer& buffer = call.program->buffers[i];
        if (buffer.kind != TOTAL_ROW) continue;
        for (int32_t j = 0; j < buffer.width; j++) {
            double sum = 0;
            for (int rank = 0; rank < team; rank++) {
                const char* const own = base + rank * memory.size() + memory.scratch;
                sum += ((const double*)own)[buffer.place + j];
            }
            call.tensors[i][j] += (float)sum;
        }
    }
}

inline int64_t run(Call* pointer) {
    const Call& call = *pointer;
    const bool by_rows = split_by_rows(call);
    const int team = team_for(call, by_rows);
    const Memory memory(*call.program);
    const int64_t rows = call.steps ? call.counts[0] : 0;
    const int64_t between = rounded(rows * call.program->between_floats * 4);
    void* room = nullptr;
    if (posix_memalign(&room, 64, (size_t)(between + memory.size() * team))) return 1;
    char* const base = (char*)room + between;
    Barrier barrier;
    auto member = [&](int rank, int size) {
        char* const scratch = base + rank * memory.size();
        char* const totals = scratch + memory.scratch;
        memset(totals, 0, (size_t)memory.totals);
        const FlushDenormals flush;
        Runner(call, barrier, rank, size, by_rows, (float*)room, (float*)scratch, (double*)totals,
               (float**)(totals + memory.totals))
            .run();
    };
    int size = 1;  // the system may give fewer threads than asked for
    if (team == 1) {
        member(0, 1);
    } else {
#if defined(_OPENMP)
#pragma omp parallel num_threads(team)
        {
            member(team_rank(), team_size());
#pragma omp single
            size = team_size();
        }
#endif
    }
    add_totals(call, memory, base, size);
    pointer->taken += call.steps;
    free(room);
    return 0;
}

}  // namespace

namespace unrolled {
extern const Path ISA_PATH;
const Path ISA_PATH = {LANES, pack, run, likeliest, depthwise};
}  // namespace unrolled
