// What recurrences are made of, for one form, which is included with the macros of forms.h.

#include "numbers_form.h"

#define AT(p) (*(FORM(vector) *)(p))
#define FROM(p) (*(const FORM(vector) *)(p))

// Returns a where where's bits are set, and b elsewhere.
TARGET static inline FORM(vector) FORM(choose)(FORM(bits) where, FORM(vector) a, FORM(vector) b) {
	return (FORM(vector))((where & (FORM(bits))a) | (~where & (FORM(bits))b));
}

TARGET static inline FORM(vector) FORM(sigmoid)(FORM(vector) x) {
	FORM(vector) e = FORM(power)((FORM(vector))((FORM(bits))x | INT32_MIN));
	FORM(bits) below = (FORM(bits))(x < 0);
	return FORM(choose)(below, e, (FORM(vector)){0} + 1) / (1 + e);
}

// The polynomial for small x is that of Moshier's Cephes library, tanhf.
TARGET static inline FORM(vector) FORM(tanh)(FORM(vector) x) {
	FORM(bits) sign = (FORM(bits))x & INT32_MIN;
	FORM(vector) size = (FORM(vector))((FORM(bits))x & INT32_MAX), e = FORM(power)(-2 * size);
	FORM(vector) large = (FORM(vector))((FORM(bits))((1 - e) / (1 + e)) | sign);
	FORM(vector) z = x * x, p = z * -5.70498872745e-3f + 2.06390887954e-2f;
	p = p * z - 5.37397155531e-2f;
	p = p * z + 1.33314422036e-1f;
	p = p * z - 3.33332819422e-1f;
	return FORM(choose)((FORM(bits))(size < 0.625f), p * z * x + x, large);
}

// One place of one sequence: from the gates that the input gives, g, and what the hidden state
// gives, s, to the new states and what is kept.
TARGET static void FORM(lstm)(const float *g, const float *s, const float *bias, const float *h, const float *c, float *next, float *kept, int64_t n) {
	for (int64_t j = 0; j < n; j += WIDTH) {
		FORM(vector) in = FORM(sigmoid)(FROM(g + j) + FROM(s + j) + FROM(bias + j));
		FORM(vector) forget = FORM(sigmoid)(FROM(g + n + j) + FROM(s + n + j) + FROM(bias + n + j));
		FORM(vector) cell = FORM(tanh)(FROM(g + 2 * n + j) + FROM(s + 2 * n + j) + FROM(bias + 2 * n + j));
		FORM(vector) out = FORM(sigmoid)(FROM(g + 3 * n + j) + FROM(s + 3 * n + j) + FROM(bias + 3 * n + j));
		FORM(vector) after = forget * FROM(c + j) + in * cell;
		AT(kept + j) = in;
		AT(kept + n + j) = forget;
		AT(kept + 2 * n + j) = cell;
		AT(kept + 3 * n + j) = out;
		AT(kept + 4 * n + j) = after;
		AT(next + j) = out * FORM(tanh)(after);
	}
}

TARGET static void FORM(gru)(const float *g, const float *s, const float *bias, const float *h, const float *c, float *next, float *kept, int64_t n) {
	const float *other = bias + 3 * n;
	for (int64_t j = 0; j < n; j += WIDTH) {
		FORM(vector) reset = FORM(sigmoid)(FROM(g + j) + FROM(s + j) + (FROM(bias + j) + FROM(other + j)));
		FORM(vector) update = FORM(sigmoid)(FROM(g + n + j) + FROM(s + n + j) + (FROM(bias + n + j) + FROM(other + n + j)));
		FORM(vector) last = FROM(s + 2 * n + j) + FROM(other + 2 * n + j);
		FORM(vector) fresh = FORM(tanh)(FROM(g + 2 * n + j) + FROM(bias + 2 * n + j) + reset * last);
		AT(kept + j) = reset;
		AT(kept + n + j) = update;
		AT(kept + 2 * n + j) = fresh;
		AT(kept + 3 * n + j) = last;
		AT(next + j) = fresh + update * (FROM(h + j) - fresh);
	}
}

// The gradients of one place of one sequence. v is that for h after it; vh and vc are those
// for the states after it by what comes later, and become those before it, but for what goes
// through the hidden state's matrix. sums is added to.
TARGET static void FORM(lstm_back)(const float *kept, const float *h, const float *c, const float *v, float *vh, float *vc, float *gates, float *hidden, float *sums, int64_t n) {
	for (int64_t j = 0; j < n; j += WIDTH) {
		FORM(vector) in = FROM(kept + j), forget = FROM(kept + n + j), cell = FROM(kept + 2 * n + j), out = FROM(kept + 3 * n + j);
		FORM(vector) bent = FORM(tanh)(FROM(kept + 4 * n + j)), forH = FROM(v + j) + FROM(vh + j);
		FORM(vector) forC = FROM(vc + j) + forH * out * (1 - bent * bent);
		FORM(vector) d0 = forC * cell * in * (1 - in), d1 = forC * FROM(c + j) * forget * (1 - forget);
		FORM(vector) d2 = forC * in * (1 - cell * cell), d3 = forH * bent * out * (1 - out);
		AT(gates + j) = d0;
		AT(gates + n + j) = d1;
		AT(gates + 2 * n + j) = d2;
		AT(gates + 3 * n + j) = d3;
		AT(sums + j) += d0;
		AT(sums + n + j) += d1;
		AT(sums + 2 * n + j) += d2;
		AT(sums + 3 * n + j) += d3;
		AT(vh + j) = (FORM(vector)){0};
		AT(vc + j) = forC * forget;
	}
}

TARGET static void FORM(gru_back)(const float *kept, const float *h, const float *c, const float *v, float *vh, float *vc, float *gates, float *hidden, float *sums, int64_t n) {
	float *other = sums + 3 * n;
	for (int64_t j = 0; j < n; j += WIDTH) {
		FORM(vector) reset = FROM(kept + j), update = FROM(kept + n + j), fresh = FROM(kept + 2 * n + j), last = FROM(kept + 3 * n + j);
		FORM(vector) forH = FROM(v + j) + FROM(vh + j);
		FORM(vector) d2 = forH * (1 - update) * (1 - fresh * fresh);
		FORM(vector) d1 = forH * (FROM(h + j) - fresh) * update * (1 - update);
		FORM(vector) d0 = d2 * last * reset * (1 - reset), d3 = d2 * reset;
		AT(gates + j) = AT(hidden + j) = d0;
		AT(gates + n + j) = AT(hidden + n + j) = d1;
		AT(gates + 2 * n + j) = d2;
		AT(hidden + 2 * n + j) = d3;
		AT(sums + j) += d0;
		AT(sums + n + j) += d1;
		AT(sums + 2 * n + j) += d2;
		AT(other + j) += d0;
		AT(other + n + j) += d1;
		AT(other + 2 * n + j) += d3;
		AT(vh + j) = forH * update;
	}
}

#undef AT
#undef FROM
