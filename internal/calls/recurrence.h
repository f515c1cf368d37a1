// LSTM and GRU on the processor.
#pragma once

#include "filters.h"

// How the gates are used: as torch.nn.LSTM does, input, forget, cell, output, or as
// torch.nn.GRU does, reset, update, new.
enum { CELL_LSTM, CELL_GRU, CELLS };

// A layer that reads sequences. Its states are the hidden state h and for LSTM the cell state c.
typedef struct {
	int cell;
	int backward; // begins with the last place
	int64_t steps, n, hidden; // hidden is a multiple of 16
	const float *gates;  // [steps, n, width], what the input gives them; width is 4·hidden or 3·hidden
	const float *bias;   // [width]; for GRU [2, width], those of the input and of the hidden state
	const float *matrix; // [width, hidden]
	const float *first;  // [states, n, hidden]
	float *hs;   // [steps, n, hidden], h after each place
	float *end;  // [states, n, hidden]
	float *kept; // [steps, n, kept], what the gradient needs: the gates after their functions,
	             // and c; for GRU what the hidden state gives the new gate, 5·hidden and 4·hidden
} recurrence;

// The gradient of one.
typedef struct {
	int cell, backward;
	int64_t steps, n, hidden;
	const float *kept, *matrix, *first, *hs;
	const float *v, *v_end; // those for hs and end
	float *gates;        // [steps, n, width]
	float *hidden_gates; // the same for what the hidden state gives; 0 for LSTM, where they are equal
	float *first_v;      // [states, n, hidden]
	float *sums;         // [units, width], or [units, 2, width] for GRU; their sum is the biases' gradient
} recurrence_back;

// Returns how many gates and states a cell has, what it keeps in multiples of hidden, and how
// many biases for each gate.
int64_t recurrence_gates(int cell), recurrence_states(int cell), recurrence_keeps(int cell), recurrence_biases(int cell);

// Returns into how many units n sequences are cut, each of which is summed up by itself.
int64_t recurrence_units(int64_t n);

// Computes it in a form, in n parts by a loop, which has the pool. The numbers do not depend
// on n. Returns 0 where there is no memory.
int recurrence_forward(const recurrence *r, int form, int n, filters_loop *loop, void *pool);
int recurrence_gradient(const recurrence_back *r, int form, int n, filters_loop *loop, void *pool);
