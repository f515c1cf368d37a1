// Includes FORM_FILE once for each form that there is for the processor which is compiled for,
// with these macros:
//
//	FORM(name)  the name of a function of this form
//	TARGET      the attributes that let the compiler use the form's instructions
//	WIDTH       numbers of a vector
//	ROWS        ROWS_AVX512 with AVX-512, which has twice as many registers, and ROWS_OTHER
//
// FORMS_OF(entry) is a table of entry(name) for each of them. A name's width and rows are
// name_width and name_block_rows.
#include "filters.h"

#define FORM(name) portable_##name
#define TARGET
#define WIDTH 4
#define ROWS ROWS_OTHER
enum { portable_width = WIDTH, portable_block_rows = ROWS };
#include FORM_FILE
#undef FORM
#undef TARGET
#undef WIDTH
#undef ROWS

#if defined(__x86_64__) && defined(__GNUC__)
#define FORM(name) avx2_##name
#define TARGET __attribute__((target("avx2,fma")))
#define WIDTH 8
#define ROWS ROWS_OTHER
enum { avx2_width = WIDTH, avx2_block_rows = ROWS };
#include FORM_FILE
#undef FORM
#undef TARGET
#undef WIDTH
#undef ROWS

#define FORM(name) avx512_##name
#define TARGET __attribute__((target("avx512f,avx512vl,avx512dq,avx2,fma,prefer-vector-width=512")))
#define WIDTH 16
#define ROWS ROWS_AVX512
enum { avx512_width = WIDTH, avx512_block_rows = ROWS };
#include FORM_FILE
#undef FORM
#undef TARGET
#undef WIDTH
#undef ROWS

#define FORMS_OF(entry) {[FORM_PORTABLE] = entry(portable), [FORM_AVX2] = entry(avx2), [FORM_AVX512] = entry(avx512)}
#else
#define FORMS_OF(entry) {[FORM_PORTABLE] = entry(portable)}
#endif
