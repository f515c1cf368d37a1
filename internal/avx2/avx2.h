// Loops over the bytes of pictures with AVX2's instructions. Package avx2 says what they do.
#include <stdint.h>

int avx2_has(void);
void avx2_inverse(int16_t *blocks, const uint64_t *used, int64_t n, uint8_t *dst, int64_t stride);
void avx2_rgb(const uint8_t *y, const uint8_t *cb, const uint8_t *cr, uint8_t *r, uint8_t *g, uint8_t *b, int64_t n);
void avx2_rows(uint8_t *dst, int64_t out, const uint8_t *src, int64_t w, int64_t n, const int32_t *from, const int32_t *weights, int64_t quads);
void avx2_columns(uint8_t *dst, const uint8_t *src, int64_t w, const int32_t *weights, int64_t taps);
