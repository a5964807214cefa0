// A program as `unrolled/kernels/encode.py` writes it; both must have the same layout. What the
// fields mean stands in `unrolled/kernels/program.py`.
#pragma once

#include <cstdint>

namespace unrolled {

enum Kind : int32_t { SEQUENCE, PREVIOUS, ROWS, TILE, VECTOR, TOTAL_ROW, BETWEEN };

enum Op : int32_t {
    COPY, FILL, NEG, ADD, SUB, MUL, DIV, MULADD, LERP, SCALE, OFFSET, MAXIMUM, MINIMUM, SIGMOID,
    TANH, RELU, EXP, LOG, SQRT, RSQRT, RECIPROCAL, ABS, SIGN, SIN, COS, ERF, LOG1P, EXPM1, POW, GT,
    GE, EQ, WHERE, DSIGMOID, DTANH, ROW_SUM, ROW_MAX, SPREAD, TOTAL,
    NORMALIZE, DNORMALIZE,
};

struct Buffer {
    int32_t kind;
    int32_t width;
    int64_t place;  // TILE, BETWEEN: floats before it, per row, in scratch; TOTAL: numbers before it
};

struct Operand {
    int32_t buffer;  // -1: none
    int32_t column;
};

struct Instruction {
    int32_t op;
    int32_t n;
    Operand out;
    Operand args[3];
    float value;
    int32_t unused;
};

struct Product {
    Operand a;
    Operand out;
    Operand init;
    int32_t n;
    int32_t k;
    int64_t weight;  // floats before it in the packed weights
};

constexpr int MAX_TERMS = 8;  // products of a stage

struct Stage {
    int32_t is_product;
    int32_t first;  // into instructions or products
    int32_t count;  // how many; products of one stage have the same n, and none needs another's rows
    int32_t tile_rows;  // rows that the instructions run over at a time
};

struct Program {
    const Buffer* buffers;
    const Stage* stages;
    const Instruction* instructions;
    const Product* products;
    int64_t buffer_count;
    int64_t stage_count;
    int64_t reverse;
    int64_t scratch_floats;  // what the tiles of the largest stage need
    int64_t total_numbers;   // columns of all TOTAL buffers
    int64_t between_floats;  // columns of all BETWEEN buffers
};

// One weight block on its way into panels; element (i, j) is at source[i * k_stride + j * n_stride].
struct Source {
    const float* source;
    int64_t k_stride;
    int64_t n_stride;
    int64_t first;  // its first row in the product's weight
    int64_t k;      // its rows
    int64_t total_k;
    int64_t n;
    int64_t weight;  // floats before the product's panels
};

struct Call {
    const Program* program;
    const float* packed;
    float* const* tensors;
    const int64_t* counts;
    int64_t steps;
    int64_t threads;
    int64_t split;  // of the work between threads, a Split
    int64_t taken;  // steps so far, in all runs of this call
};

enum Split : int64_t { AUTOMATIC, BY_ROWS, BY_COLUMNS };

// A search for the `wanted` largest of every row of logits, which are a @ weight + bias, or a itself;
// as `unrolled/kernels/likeliest.py` writes it.
struct Likeliest {
    const float* a;       // [rows, k], or [rows, n] logits
    const float* packed;  // the weight [k, n] in panels; null: a is the logits
    const float* bias;    // [n], or null
    float* values;        // [rows, wanted]
    int64_t* columns;     // [rows, wanted]
    float* log_sums;      // [rows], of exp(x - the largest)
    int64_t rows;
    int64_t k;
    int64_t n;
    int64_t wanted;
    int64_t threads;
};

// Hypotheses: the column of the one that each comes from, its last token, its score.
struct Arm {
    int64_t* parents;
    int64_t* tokens;
    float* scores;
};

// A step of a beam search; as `unrolled/kernels/extend.py` writes it.
struct Extend {
    const float* following;  // [prompts, hypotheses, each], log-probabilities
    const int64_t* tokens;   // [prompts, hypotheses, each]
    const float* scores;     // [prompts, hypotheses]
    const int64_t* stops;    // [stop_count]
    Arm live_arm;            // [prompts, live] each
    Arm ended_arm;           // [prompts, ended] each
    int64_t prompts, hypotheses, each, stop_count;
    int64_t wanted;  // how many are ranked of a prompt, at most hypotheses * each
    int64_t live, ended;  // at most wanted
};

// Rows of unequal length, cut at resets; as `unrolled/kernels/ragged.py` writes it.
struct Stretches {
    const int64_t* lengths;  // [batch], at most `steps` each
    const uint8_t* resets;   // [batch, steps]
    int64_t* counts;         // [steps], longer stretches than t
    int64_t* row;            // [room], by stretch, the longest first
    uint8_t* begins_anew;    // [room]
    int64_t* home;           // [batch], the last stretch of a row, or -1
    int64_t* places;         // [batch * steps], of each row of each step in [batch, steps]
    int64_t* inverse;        // [batch, steps], or -1
    int64_t batch, steps;
    int64_t room;           // stretches at most
    int64_t anew, without;  // written: how many begin anew, and how many rows have none
};

struct Gather {
    const char* origin;
    const int64_t* index;  // [rows]
    char* to;
    int64_t rows, bytes, threads;
};

// A depthwise convolution of `count` pictures, channels last; as `unrolled/kernels/frames.py` writes it.
struct Depthwise {
    const float* const* frames;  // [taps] of [count, height, width, channels], the oldest first
    const float* weight;         // [taps, kernel_height, kernel_width, channels]
    const float* bias;           // [channels], or null
    float* out;                  // [count, out_height, out_width, channels]
    int64_t count, taps, channels, height, width;
    int64_t kernel_height, kernel_width, stride, pad_height, pad_width;
    int64_t out_height, out_width;
    int64_t rectifies;
    int64_t threads;
};

// What each instruction set provides; `entry.cpp` chooses between them.
struct Path {
    int64_t lanes;
    void (*pack)(const Source* sources, int64_t count, float* packed, int64_t threads);
    int64_t (*run)(Call* call);
    int64_t (*likeliest)(const Likeliest* call);
    void (*depthwise)(const Depthwise* call);
};

}  // namespace unrolled
