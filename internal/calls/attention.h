// Self-attention on the processor.
#include "filters.h"

// Self-attention in several heads over sequences. Queries, keys and values stand side by
// side in one matrix, as the product with their common weights makes them.
typedef struct {
	const float *in; // [sequences, length, 3, heads, size]
	const float *v;  // the gradient of the output; 0 for the output itself
	float *out;      // [sequences, length, heads, size], or the gradient of in, shaped as that
	int64_t sequences, length, heads, size; // size is a multiple of 16
	int causal; // each place looks at places up to its own
} attention;

// Computes it in a form, in n parts by a loop, which has the pool. The numbers do not depend
// on n. Returns 0 where there is no memory.
int attention_compute(const attention *a, int form, int n, filters_loop *loop, void *pool);
