#include "avx2.h"

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

int avx2_has(void) {
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2");
}

// The inverse cosine transform with the factors and the roundings of internal/jpeg's inverse, where
// they are explained: a vector has a number of each column in the first pass, and of each row in
// the second.
enum { FACTOR_BITS = 13, PASS_BITS = 2, LEVEL = (1 << (PASS_BITS + 2)) + (128 << (PASS_BITS + 3)) };

AVX2 static inline __m256i times(__m256i a, int factor) { return _mm256_mullo_epi32(a, _mm256_set1_epi32(factor)); }
AVX2 static inline __m256i plus(__m256i a, __m256i b) { return _mm256_add_epi32(a, b); }
AVX2 static inline __m256i minus(__m256i a, __m256i b) { return _mm256_sub_epi32(a, b); }

// Transforms a[0] to a[7] in place; half is what rounds, and shift how many bits are dropped.
AVX2 static inline __attribute__((always_inline)) void pass(__m256i a[8], int half, const int shift) {
	const __m256i z = times(plus(a[2], a[6]), 4433), p = plus(z, times(a[2], 6270)), q = minus(z, times(a[6], 15137));
	const __m256i round = _mm256_set1_epi32(half);
	const __m256i s = plus(_mm256_slli_epi32(plus(a[0], a[4]), FACTOR_BITS), round), t = plus(_mm256_slli_epi32(minus(a[0], a[4]), FACTOR_BITS), round);
	const __m256i e[4] = {plus(s, p), plus(t, q), minus(t, q), minus(s, p)};

	const __m256i a37 = plus(a[3], a[7]), a15 = plus(a[1], a[5]), all = times(plus(a37, a15), 9633);
	const __m256i u = minus(all, times(a37, 16069)), v = minus(all, times(a15, 3196));
	const __m256i a17 = times(plus(a[1], a[7]), 7373), a35 = times(plus(a[3], a[5]), 20995);
	const __m256i o[4] = {plus(minus(times(a[1], 12299), a17), v), plus(minus(times(a[3], 25172), a35), u),
	                      plus(minus(times(a[5], 16819), a35), v), plus(minus(times(a[7], 2446), a17), u)};
	for (int i = 0; i < 4; i++) {
		a[i] = _mm256_srai_epi32(plus(e[i], o[i]), shift);
		a[7 - i] = _mm256_srai_epi32(minus(e[i], o[i]), shift);
	}
}

// Makes rows of 8 numbers columns.
AVX2 static inline __attribute__((always_inline)) void transpose(__m256i a[8]) {
	__m256i b[8], c[8];
	for (int i = 0; i < 8; i += 2) {
		b[i] = _mm256_unpacklo_epi32(a[i], a[i + 1]);
		b[i + 1] = _mm256_unpackhi_epi32(a[i], a[i + 1]);
	}
	for (int i = 0; i < 8; i += 4) {
		c[i] = _mm256_unpacklo_epi64(b[i], b[i + 2]);
		c[i + 1] = _mm256_unpackhi_epi64(b[i], b[i + 2]);
		c[i + 2] = _mm256_unpacklo_epi64(b[i + 1], b[i + 3]);
		c[i + 3] = _mm256_unpackhi_epi64(b[i + 1], b[i + 3]);
	}
	for (int i = 0; i < 4; i++) {
		a[i] = _mm256_permute2x128_si256(c[i], c[i + 4], 0x20);
		a[i + 4] = _mm256_permute2x128_si256(c[i], c[i + 4], 0x31);
	}
}

AVX2 static inline void inverse(const int16_t *block, uint8_t *dst, int64_t stride) {
	__m256i a[8];
	for (int i = 0; i < 8; i++) a[i] = _mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)(block + 8 * i)));
	pass(a, 1 << (FACTOR_BITS - PASS_BITS - 1), FACTOR_BITS - PASS_BITS);
	transpose(a);
	a[0] = plus(a[0], _mm256_set1_epi32(LEVEL));
	pass(a, 0, FACTOR_BITS + PASS_BITS + 3);

	// Four samples of rows 0 to 3 are in the lower half, and of 4 to 7 in the upper one.
	const __m256i together = _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
	const __m256i left = _mm256_shuffle_epi8(_mm256_packus_epi16(_mm256_packs_epi32(a[0], a[1]), _mm256_packs_epi32(a[2], a[3])), together);
	const __m256i right = _mm256_shuffle_epi8(_mm256_packus_epi16(_mm256_packs_epi32(a[4], a[5]), _mm256_packs_epi32(a[6], a[7])), together);
	const __m256i even = _mm256_unpacklo_epi32(left, right), odd = _mm256_unpackhi_epi32(left, right);
	for (int half = 0; half < 2; half++, dst += 4 * stride) {
		const __m128i first = half ? _mm256_extracti128_si256(even, 1) : _mm256_castsi256_si128(even);
		const __m128i second = half ? _mm256_extracti128_si256(odd, 1) : _mm256_castsi256_si128(odd);
		_mm_storel_epi64((__m128i *)dst, first);
		_mm_storel_epi64((__m128i *)(dst + stride), _mm_unpackhi_epi64(first, first));
		_mm_storel_epi64((__m128i *)(dst + 2 * stride), second);
		_mm_storel_epi64((__m128i *)(dst + 3 * stride), _mm_unpackhi_epi64(second, second));
	}
}

static inline uint8_t limit(int v) { return v < 0 ? 0 : v > 255 ? 255 : v; }

AVX2 void avx2_inverse(int16_t *blocks, const uint64_t *used, int64_t n, uint8_t *dst, int64_t stride) {
	for (int64_t i = 0; i < n; i++, blocks += 64, dst += 8) {
		if (used[i]) {
			inverse(blocks, dst, stride);
			memset(blocks, 0, 64 * sizeof *blocks);
			continue;
		}
		const uint8_t v = limit((blocks[0] * (1 << PASS_BITS) + LEVEL) >> (PASS_BITS + 3));
		for (int row = 0; row < 8; row++) memset(dst + row * stride, v, 8);
		blocks[0] = 0;
	}
}

// The numbers of eight bytes.
AVX2 static inline __m256i eight(const uint8_t *from) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)from)); }

// The bytes of eight numbers, those below 0 as 0 and those above 255 as 255.
AVX2 static inline __m128i limited(__m256i a) {
	const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1));
	return _mm_packus_epi16(words, words);
}

AVX2 static inline void rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, uint8_t *r, uint8_t *g, uint8_t *b) {
	const __m256i luma = plus(_mm256_slli_epi32(eight(y), 16), _mm256_set1_epi32(1 << 15)), middle = _mm256_set1_epi32(128);
	const __m256i blueness = minus(eight(cb), middle), redness = minus(eight(cr), middle);
	const __m256i red = plus(luma, times(redness, 91881)), blue = plus(luma, times(blueness, 116130));
	const __m256i green = minus(minus(luma, times(blueness, 22554)), times(redness, 46802));
	_mm_storel_epi64((__m128i *)r, limited(_mm256_srai_epi32(red, 16)));
	_mm_storel_epi64((__m128i *)g, limited(_mm256_srai_epi32(green, 16)));
	_mm_storel_epi64((__m128i *)b, limited(_mm256_srai_epi32(blue, 16)));
}

AVX2 void avx2_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, uint8_t *r, uint8_t *g, uint8_t *b, int64_t n) {
	int64_t i = 0;
	for (; i + 8 <= n; i += 8) rgb(y + i, cb + i, cr + i, r + i, g + i, b + i);
	if (i == n) return;
	uint8_t last[6][8] = {0};
	const size_t rest = n - i;
	memcpy(last[0], y + i, rest);
	memcpy(last[1], cb + i, rest);
	memcpy(last[2], cr + i, rest);
	rgb(last[0], last[1], last[2], last[3], last[4], last[5]);
	memcpy(r + i, last[3], rest);
	memcpy(g + i, last[4], rest);
	memcpy(b + i, last[5], rest);
}

enum { WEIGHT_BITS = 22, HALF = 1 << (WEIGHT_BITS - 1) };

// Four bytes from each of eight places.
AVX2 static inline __m256i four(const uint8_t *src, const int32_t *from) {
	int32_t in[8];
	for (int i = 0; i < 8; i++) memcpy(in + i, src + from[i], 4);
	return _mm256_setr_epi32(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7]);
}

AVX2 void avx2_rows(uint8_t *dst, int64_t out, const uint8_t *src, int64_t w, int64_t n, const int32_t *from, const int32_t *weights, int64_t quads) {
	const __m256i byte = _mm256_set1_epi32(255);
	for (; n > 0; n--, src += w, dst += out) {
		const __m256i *weight = (const __m256i *)weights;
		for (int64_t i = 0; i < (out + 7) / 8; i++) {
			__m256i sum = _mm256_set1_epi32(HALF);
			for (int64_t q = 0; q < quads; q++, weight += 4) {
				const __m256i in = four(src + 4 * q, from + 8 * i);
				sum = plus(sum, _mm256_mullo_epi32(_mm256_and_si256(in, byte), _mm256_loadu_si256(weight)));
				sum = plus(sum, _mm256_mullo_epi32(_mm256_and_si256(_mm256_srli_epi32(in, 8), byte), _mm256_loadu_si256(weight + 1)));
				sum = plus(sum, _mm256_mullo_epi32(_mm256_and_si256(_mm256_srli_epi32(in, 16), byte), _mm256_loadu_si256(weight + 2)));
				sum = plus(sum, _mm256_mullo_epi32(_mm256_srli_epi32(in, 24), _mm256_loadu_si256(weight + 3)));
			}
			const __m128i bytes = limited(_mm256_srai_epi32(sum, WEIGHT_BITS));
			if (8 * i + 8 <= out) _mm_storel_epi64((__m128i *)(dst + 8 * i), bytes);
			else memcpy(dst + 8 * i, &bytes, out - 8 * i);
		}
	}
}

AVX2 void avx2_columns(uint8_t *dst, const uint8_t *src, int64_t w, const int32_t *weights, int64_t taps) {
	enum { LANES = 64 };
	for (int64_t x = 0; x < w; x += LANES) {
		const int64_t n = w - x < LANES ? w - x : LANES;
		int32_t sum[LANES];
		for (int i = 0; i < LANES; i++) sum[i] = HALF;
		for (int64_t k = 0; k < taps; k++) {
			const uint8_t *in = src + k * w + x;
			if (n == LANES)
				for (int i = 0; i < LANES; i++) sum[i] += in[i] * weights[k];
			else
				for (int i = 0; i < n; i++) sum[i] += in[i] * weights[k];
		}
		for (int i = 0; i < n; i++) dst[x + i] = limit(sum[i] >> WEIGHT_BITS);
	}
}
