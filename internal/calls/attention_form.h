// What attention is made of, for one form, which is included with the macros of forms.h.

#include "numbers_form.h"

// Makes the first n scores of a row probabilities, and the rest of its columns 0.
TARGET static void FORM(softmax)(float *s, int64_t n, int64_t columns, float scale) {
	int64_t up = (n + WIDTH - 1) / WIDTH * WIDTH;
	for (int64_t j = n; j < up; j++) s[j] = s[0];
	FORM(vector) most = *(FORM(vector) *)s, sum = {0};
	for (int64_t j = WIDTH; j < up; j += WIDTH) {
		FORM(vector) x = *(FORM(vector) *)(s + j);
		FORM(bits) above = (FORM(bits))(x > most);
		most = (FORM(vector))((above & (FORM(bits))x) | (~above & (FORM(bits))most));
	}
	float top = most[0], total = 0;
	for (int i = 1; i < WIDTH; i++) top = most[i] > top ? most[i] : top;
	for (int64_t j = 0; j < up; j += WIDTH) *(FORM(vector) *)(s + j) = FORM(power)((*(FORM(vector) *)(s + j) - top) * scale);
	for (int64_t j = n; j < columns; j++) s[j] = 0;
	for (int64_t j = 0; j < up; j += WIDTH) sum += *(FORM(vector) *)(s + j);
	for (int i = 0; i < WIDTH; i++) total += sum[i];
	total = 1 / total;
	for (int64_t j = 0; j < up; j += WIDTH) *(FORM(vector) *)(s + j) *= total;
}

// Turns the gradient of a row's probabilities p into that of its scores.
TARGET static void FORM(scores)(const float *p, float *v, int64_t columns, float scale) {
	FORM(vector) sum = {0};
	for (int64_t j = 0; j < columns; j += WIDTH) sum += *(const FORM(vector) *)(p + j) * *(FORM(vector) *)(v + j);
	float total = 0;
	for (int i = 0; i < WIDTH; i++) total += sum[i];
	for (int64_t j = 0; j < columns; j += WIDTH)
		*(FORM(vector) *)(v + j) = *(const FORM(vector) *)(p + j) * (*(FORM(vector) *)(v + j) - total) * scale;
}
