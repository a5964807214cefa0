// How the hypotheses of a beam search go on: of all their likeliest continuations the best, those
// that stop and those that do not apart. `naive.extend` says what comes out.
#pragma once

#include <cmath>
#include <cstdlib>

#include "program.h"

namespace {

using namespace unrolled;

struct Continuation {
    int64_t parent, token;
    float score;
    bool stops;
};

class Extension {
   public:
    explicit Extension(const Extend& call)
        : call(call), best((Continuation*)malloc((call.wanted + call.live) * sizeof(Continuation))),
          live(best + call.wanted) {}
    ~Extension() { free(best); }

    bool has_room() const { return best; }

    void run(int64_t prompt) {
        rank(prompt);
        int64_t living = 0;
        for (int64_t i = 0; i < call.wanted; i++) {
            Continuation one = best[i];
            if (!one.stops && living < call.live) place_by_token(one, living++);
            if (!one.stops) one.score = -INFINITY;
            if (i < call.ended) put(call.ended_arm, prompt * call.ended + i, one);
        }
        for (int64_t i = 0; living < call.live; i++)  // too few: the rest is no hypothesis
            if (best[i].stops)
                place_by_token({best[i].parent, best[i].token, -INFINITY, true}, living++);
        for (int64_t i = 0; i < call.live; i++) put(call.live_arm, prompt * call.live + i, live[i]);
    }

   private:
    // Largest first, of equals the first.
    void rank(int64_t prompt) {
        int64_t found = 0;
        for (int64_t parent = 0; parent < call.hypotheses; parent++) {
            const int64_t row = prompt * call.hypotheses + parent;
            for (int64_t i = row * call.each; i < (row + 1) * call.each; i++) {
                const float score = call.following[i] + call.scores[row];
                if (found == call.wanted && !(score > best[found - 1].score)) break;  // nor the rest
                int64_t place = found < call.wanted ? found++ : found - 1;
                for (; place > 0 && best[place - 1].score < score; place--)
                    best[place] = best[place - 1];
                best[place] = {parent, call.tokens[i], score, is_stop(call.tokens[i])};
            }
        }
    }

    bool is_stop(int64_t token) const {
        for (int64_t i = 0; i < call.stop_count; i++)
            if (call.stops[i] == token) return true;
        return false;
    }

    // Among the first `count`, by parent and then by token.
    void place_by_token(const Continuation& one, int64_t count) {
        for (; count > 0; count--) {
            const Continuation& before = live[count - 1];
            const bool follows = before.parent != one.parent ? before.parent < one.parent
                                                             : before.token < one.token;
            if (follows) break;
            live[count] = before;
        }
        live[count] = one;
    }

    static void put(const Arm& arm, int64_t place, const Continuation& one) {
        arm.parents[place] = one.parent;
        arm.tokens[place] = one.token;
        arm.scores[place] = one.score;
    }

    const Extend& call;
    Continuation* const best;
    Continuation* const live;
};

inline int64_t extend(const Extend& call) {
    Extension extension(call);
    if (!extension.has_room()) return 1;
    for (int64_t prompt = 0; prompt < call.prompts; prompt++) extension.run(prompt);
    return 0;
}

}  // namespace
