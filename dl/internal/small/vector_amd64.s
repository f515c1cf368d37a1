#include "textflag.h"

// Go's compiler does not use vector instructions. These are the loops that small programs spend
// their time in, with AVX2 and FMA. vector_amd64.go declares them.

// LOOP3 is the loop of d[i] = OP(a[i], b[i]) over n numbers, a multiple of 8: 32 at a time, then 8.
#define LOOP3(OP) \
	MOVQ d+0(FP), DI; \
	MOVQ a+8(FP), SI; \
	MOVQ b+16(FP), DX; \
	MOVQ n+24(FP), CX; \
	SUBQ $32, CX; \
	JLT  few; \
many: \
	VMOVUPS (SI), Y0; \
	VMOVUPS 32(SI), Y1; \
	VMOVUPS 64(SI), Y2; \
	VMOVUPS 96(SI), Y3; \
	VMOVUPS (DX), Y4; \
	VMOVUPS 32(DX), Y5; \
	VMOVUPS 64(DX), Y6; \
	VMOVUPS 96(DX), Y7; \
	OP(Y0, Y4); \
	OP(Y1, Y5); \
	OP(Y2, Y6); \
	OP(Y3, Y7); \
	VMOVUPS Y0, (DI); \
	VMOVUPS Y1, 32(DI); \
	VMOVUPS Y2, 64(DI); \
	VMOVUPS Y3, 96(DI); \
	ADDQ $128, SI; \
	ADDQ $128, DX; \
	ADDQ $128, DI; \
	SUBQ $32, CX; \
	JGE  many; \
few: \
	ADDQ $32, CX; \
	JLE  done; \
eight: \
	VMOVUPS (SI), Y0; \
	VMOVUPS (DX), Y4; \
	OP(Y0, Y4); \
	VMOVUPS Y0, (DI); \
	ADDQ $32, SI; \
	ADDQ $32, DX; \
	ADDQ $32, DI; \
	SUBQ $8, CX; \
	JG   eight; \
done: \
	VZEROUPPER; \
	RET

#define ADD(x, y) VADDPS y, x, x
#define SUB(x, y) VSUBPS y, x, x
#define MUL(x, y) VMULPS y, x, x
#define DIV(x, y) VDIVPS y, x, x

// The instructions give their second source where one is NaN or both are zero, so both orders are
// taken. AND and OR choose the sign of zero, and NaN has all bits set.
#define MAX(x, y) \
	VMAXPS   y, x, Y8; \
	VMAXPS   x, y, Y9; \
	VCMPPS   $3, y, x, Y10; \
	VANDPS   Y8, Y9, Y8; \
	VORPS    Y8, Y10, x

#define MIN(x, y) \
	VMINPS   y, x, Y8; \
	VMINPS   x, y, Y9; \
	VCMPPS   $3, y, x, Y10; \
	VORPS    Y8, Y9, Y8; \
	VORPS    Y8, Y10, x

// MATRICES reads the first arguments of fourRows, eightRows and eightWide: c, a and b are at DI, R8
// and SI, and BX, AX and DX are the bytes from a row of c, a row of a and a k of a to the next.
#define MATRICES \
	MOVQ c+0(FP), DI; \
	MOVQ cm+8(FP), BX; \
	MOVQ a+16(FP), R8; \
	MOVQ am+24(FP), AX; \
	MOVQ ak+32(FP), DX; \
	MOVQ b+40(FP), SI; \
	SHLQ $2, BX; \
	SHLQ $2, AX; \
	SHLQ $2, DX

// func addVector(d, a, b *float32, n int)
TEXT ·addVector(SB), NOSPLIT, $0-32
	LOOP3(ADD)

// func subtractVector(d, a, b *float32, n int)
TEXT ·subtractVector(SB), NOSPLIT, $0-32
	LOOP3(SUB)

// func multiplyVector(d, a, b *float32, n int)
TEXT ·multiplyVector(SB), NOSPLIT, $0-32
	LOOP3(MUL)

// func divideVector(d, a, b *float32, n int)
TEXT ·divideVector(SB), NOSPLIT, $0-32
	LOOP3(DIV)

// func largerVector(d, a, b *float32, n int)
TEXT ·largerVector(SB), NOSPLIT, $0-32
	LOOP3(MAX)

// func smallerVector(d, a, b *float32, n int)
TEXT ·smallerVector(SB), NOSPLIT, $0-32
	LOOP3(MIN)

// func signVector(d, a *float32, n int)
//
// Y0 is 0, Y1 has the sign bits, and Y2 is 1.
TEXT ·signVector(SB), NOSPLIT, $0-24
	MOVQ         d+0(FP), DI
	MOVQ         a+8(FP), SI
	MOVQ         n+16(FP), CX
	VXORPS       Y0, Y0, Y0
	MOVL         $0x80000000, AX
	MOVL         AX, X1
	VBROADCASTSS X1, Y1
	MOVL         $0x3f800000, AX
	MOVL         AX, X2
	VBROADCASTSS X2, Y2

signLoop:
	VMOVUPS   (SI), Y3
	VCMPPS    $8, Y0, Y3, Y4   // is 0 or not a number
	VANDPS    Y3, Y1, Y5
	VORPS     Y5, Y2, Y5
	VBLENDVPS Y4, Y3, Y5, Y5
	VMOVUPS   Y5, (DI)
	ADDQ      $32, SI
	ADDQ      $32, DI
	SUBQ      $8, CX
	JG        signLoop
	VZEROUPPER
	RET

// func sumVector(a *float32, n int) float64
TEXT ·sumVector(SB), NOSPLIT, $0-24
	MOVQ   a+0(FP), SI
	MOVQ   n+8(FP), CX
	VXORPD Y0, Y0, Y0
	VXORPD Y1, Y1, Y1
	VXORPD Y2, Y2, Y2
	VXORPD Y3, Y3, Y3

sumLoop:
	VCVTPS2PD (SI), Y4
	VCVTPS2PD 16(SI), Y5
	VCVTPS2PD 32(SI), Y6
	VCVTPS2PD 48(SI), Y7
	VADDPD    Y4, Y0, Y0
	VADDPD    Y5, Y1, Y1
	VADDPD    Y6, Y2, Y2
	VADDPD    Y7, Y3, Y3
	ADDQ      $64, SI
	SUBQ      $16, CX
	JG        sumLoop

	VADDPD       Y1, Y0, Y0
	VADDPD       Y3, Y2, Y2
	VADDPD       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPD       X1, X0, X0
	VHADDPD      X0, X0, X0
	VMOVSD       X0, ret+16(FP)
	VZEROUPPER
	RET

// func addWideVector(d *float64, a *float32, n int)
TEXT ·addWideVector(SB), NOSPLIT, $0-24
	MOVQ d+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ n+16(FP), CX

wideLoop:
	VCVTPS2PD (SI), Y0
	VCVTPS2PD 16(SI), Y1
	VADDPD    (DI), Y0, Y0
	VADDPD    32(DI), Y1, Y1
	VMOVUPD   Y0, (DI)
	VMOVUPD   Y1, 32(DI)
	ADDQ      $32, SI
	ADDQ      $64, DI
	SUBQ      $8, CX
	JG        wideLoop
	VZEROUPPER
	RET

// ROWS8 makes R9 and R12 the fifth rows of a and c, and R10 and R13 three rows of them.
#define ROWS8 \
	LEAQ (R8)(AX*4), R9; \
	LEAQ (AX)(AX*2), R10; \
	LEAQ (DI)(BX*4), R12; \
	LEAQ (BX)(BX*2), R13

#define ZERO8 \
	VPXORQ Z0, Z0, Z0; \
	VPXORQ Z1, Z1, Z1; \
	VPXORQ Z2, Z2, Z2; \
	VPXORQ Z3, Z3, Z3; \
	VPXORQ Z4, Z4, Z4; \
	VPXORQ Z5, Z5, Z5; \
	VPXORQ Z6, Z6, Z6; \
	VPXORQ Z7, Z7, Z7

// func fourRows(c *float32, cm int, a *float32, am, ak int, b *float32, k int)
//
// Y0 to Y7 are the four rows of 16 sums. R8 to R11 are the rows of a, at the same k.
TEXT ·fourRows(SB), NOSPLIT, $0-56
	MATRICES
	MOVQ k+48(FP), CX
	LEAQ (R8)(AX*1), R9
	LEAQ (R9)(AX*1), R10
	LEAQ (R10)(AX*1), R11
	LEAQ (DI)(BX*2), R12

	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMOVUPS (DI)(BX*1), Y2
	VMOVUPS 32(DI)(BX*1), Y3
	VMOVUPS (R12), Y4
	VMOVUPS 32(R12), Y5
	VMOVUPS (R12)(BX*1), Y6
	VMOVUPS 32(R12)(BX*1), Y7

fourLoop:
	VMOVUPS      (SI), Y8
	VMOVUPS      32(SI), Y9
	VBROADCASTSS (R8), Y10
	VBROADCASTSS (R9), Y11
	VBROADCASTSS (R10), Y12
	VBROADCASTSS (R11), Y13
	VFMADD231PS  Y8, Y10, Y0
	VFMADD231PS  Y9, Y10, Y1
	VFMADD231PS  Y8, Y11, Y2
	VFMADD231PS  Y9, Y11, Y3
	VFMADD231PS  Y8, Y12, Y4
	VFMADD231PS  Y9, Y12, Y5
	VFMADD231PS  Y8, Y13, Y6
	VFMADD231PS  Y9, Y13, Y7
	ADDQ         DX, R8
	ADDQ         DX, R9
	ADDQ         DX, R10
	ADDQ         DX, R11
	ADDQ         $64, SI
	DECQ         CX
	JNE          fourLoop

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VMOVUPS Y2, (DI)(BX*1)
	VMOVUPS Y3, 32(DI)(BX*1)
	VMOVUPS Y4, (R12)
	VMOVUPS Y5, 32(R12)
	VMOVUPS Y6, (R12)(BX*1)
	VMOVUPS Y7, 32(R12)(BX*1)
	VZEROUPPER
	RET

// func eightRows(c *float32, cm int, a *float32, am, ak int, b *float32, k int, begin bool)
//
// Z0 to Z7 are the eight rows of 16 sums. R8 and R9 are rows 0 and 4 of a, at the same k.
TEXT ·eightRows(SB), NOSPLIT, $0-57
	MATRICES
	MOVQ k+48(FP), CX
	ROWS8

	CMPB    begin+56(FP), $0
	JNE     eightZero
	VMOVUPS (DI), Z0
	VMOVUPS (DI)(BX*1), Z1
	VMOVUPS (DI)(BX*2), Z2
	VMOVUPS (DI)(R13*1), Z3
	VMOVUPS (R12), Z4
	VMOVUPS (R12)(BX*1), Z5
	VMOVUPS (R12)(BX*2), Z6
	VMOVUPS (R12)(R13*1), Z7
	JMP     eightLoop

eightZero:
	ZERO8

eightLoop:
	VMOVUPS          (SI), Z8
	VFMADD231PS.BCST (R8), Z8, Z0
	VFMADD231PS.BCST (R8)(AX*1), Z8, Z1
	VFMADD231PS.BCST (R8)(AX*2), Z8, Z2
	VFMADD231PS.BCST (R8)(R10*1), Z8, Z3
	VFMADD231PS.BCST (R9), Z8, Z4
	VFMADD231PS.BCST (R9)(AX*1), Z8, Z5
	VFMADD231PS.BCST (R9)(AX*2), Z8, Z6
	VFMADD231PS.BCST (R9)(R10*1), Z8, Z7
	ADDQ             DX, R8
	ADDQ             DX, R9
	ADDQ             $64, SI
	DECQ             CX
	JNE              eightLoop

	VMOVUPS Z0, (DI)
	VMOVUPS Z1, (DI)(BX*1)
	VMOVUPS Z2, (DI)(BX*2)
	VMOVUPS Z3, (DI)(R13*1)
	VMOVUPS Z4, (R12)
	VMOVUPS Z5, (R12)(BX*1)
	VMOVUPS Z6, (R12)(BX*2)
	VMOVUPS Z7, (R12)(R13*1)
	VZEROUPPER
	RET

// func eightWide(c *float32, cm int, a *float32, am, ak int, b *float32, next, k int, begin bool)
//
// Z0 to Z15 are the eight rows of 32 sums, and Z16 and Z17 a row of each panel. R8 and R9 are rows
// 0 and 4 of a, at the same k.
TEXT ·eightWide(SB), NOSPLIT, $0-65
	MATRICES
	MOVQ next+48(FP), R11
	MOVQ k+56(FP), CX
	SHLQ $2, R11
	ROWS8

	CMPB    begin+64(FP), $0
	JNE     wideZero
	VMOVUPS (DI), Z0
	VMOVUPS 64(DI), Z1
	VMOVUPS (DI)(BX*1), Z2
	VMOVUPS 64(DI)(BX*1), Z3
	VMOVUPS (DI)(BX*2), Z4
	VMOVUPS 64(DI)(BX*2), Z5
	VMOVUPS (DI)(R13*1), Z6
	VMOVUPS 64(DI)(R13*1), Z7
	VMOVUPS (R12), Z8
	VMOVUPS 64(R12), Z9
	VMOVUPS (R12)(BX*1), Z10
	VMOVUPS 64(R12)(BX*1), Z11
	VMOVUPS (R12)(BX*2), Z12
	VMOVUPS 64(R12)(BX*2), Z13
	VMOVUPS (R12)(R13*1), Z14
	VMOVUPS 64(R12)(R13*1), Z15
	JMP     wideRowLoop

wideZero:
	ZERO8
	VPXORQ Z8, Z8, Z8
	VPXORQ Z9, Z9, Z9
	VPXORQ Z10, Z10, Z10
	VPXORQ Z11, Z11, Z11
	VPXORQ Z12, Z12, Z12
	VPXORQ Z13, Z13, Z13
	VPXORQ Z14, Z14, Z14
	VPXORQ Z15, Z15, Z15

wideRowLoop:
	VMOVUPS      (SI), Z16
	VMOVUPS      (SI)(R11*1), Z17
	VBROADCASTSS (R8), Z18
	VBROADCASTSS (R8)(AX*1), Z19
	VBROADCASTSS (R8)(AX*2), Z20
	VBROADCASTSS (R8)(R10*1), Z21
	VBROADCASTSS (R9), Z22
	VBROADCASTSS (R9)(AX*1), Z23
	VBROADCASTSS (R9)(AX*2), Z24
	VBROADCASTSS (R9)(R10*1), Z25
	VFMADD231PS  Z16, Z18, Z0
	VFMADD231PS  Z17, Z18, Z1
	VFMADD231PS  Z16, Z19, Z2
	VFMADD231PS  Z17, Z19, Z3
	VFMADD231PS  Z16, Z20, Z4
	VFMADD231PS  Z17, Z20, Z5
	VFMADD231PS  Z16, Z21, Z6
	VFMADD231PS  Z17, Z21, Z7
	VFMADD231PS  Z16, Z22, Z8
	VFMADD231PS  Z17, Z22, Z9
	VFMADD231PS  Z16, Z23, Z10
	VFMADD231PS  Z17, Z23, Z11
	VFMADD231PS  Z16, Z24, Z12
	VFMADD231PS  Z17, Z24, Z13
	VFMADD231PS  Z16, Z25, Z14
	VFMADD231PS  Z17, Z25, Z15
	ADDQ         DX, R8
	ADDQ         DX, R9
	ADDQ         $64, SI
	DECQ         CX
	JNE          wideRowLoop

	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, (DI)(BX*1)
	VMOVUPS Z3, 64(DI)(BX*1)
	VMOVUPS Z4, (DI)(BX*2)
	VMOVUPS Z5, 64(DI)(BX*2)
	VMOVUPS Z6, (DI)(R13*1)
	VMOVUPS Z7, 64(DI)(R13*1)
	VMOVUPS Z8, (R12)
	VMOVUPS Z9, 64(R12)
	VMOVUPS Z10, (R12)(BX*1)
	VMOVUPS Z11, 64(R12)(BX*1)
	VMOVUPS Z12, (R12)(BX*2)
	VMOVUPS Z13, 64(R12)(BX*2)
	VMOVUPS Z14, (R12)(R13*1)
	VMOVUPS Z15, 64(R12)(R13*1)
	VZEROUPPER
	RET

// func oneRow(c, a *float32, ak int, b *float32, bk, k int)
TEXT ·oneRow(SB), NOSPLIT, $0-48
	MOVQ    c+0(FP), DI
	MOVQ    a+8(FP), R8
	MOVQ    ak+16(FP), DX
	MOVQ    b+24(FP), SI
	MOVQ    bk+32(FP), AX
	MOVQ    k+40(FP), CX
	SHLQ    $2, DX
	SHLQ    $2, AX
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1

oneLoop:
	VBROADCASTSS (R8), Y2
	VFMADD231PS  (SI), Y2, Y0
	VFMADD231PS  32(SI), Y2, Y1
	ADDQ         DX, R8
	ADDQ         AX, SI
	DECQ         CX
	JNE          oneLoop

	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	VZEROUPPER
	RET

// func dotVector(a, b *float32, n int) float32
TEXT ·dotVector(SB), NOSPLIT, $0-28
	MOVQ   a+0(FP), SI
	MOVQ   b+8(FP), DX
	MOVQ   n+16(FP), CX
	VXORPS Y0, Y0, Y0
	VXORPS Y1, Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	SUBQ   $32, CX
	JLT    dotFew

dotMany:
	VMOVUPS     (SI), Y4
	VMOVUPS     32(SI), Y5
	VMOVUPS     64(SI), Y6
	VMOVUPS     96(SI), Y7
	VFMADD231PS (DX), Y4, Y0
	VFMADD231PS 32(DX), Y5, Y1
	VFMADD231PS 64(DX), Y6, Y2
	VFMADD231PS 96(DX), Y7, Y3
	ADDQ        $128, SI
	ADDQ        $128, DX
	SUBQ        $32, CX
	JGE         dotMany

dotFew:
	ADDQ $32, CX
	JLE  dotDone

dotEight:
	VMOVUPS     (SI), Y4
	VFMADD231PS (DX), Y4, Y0
	ADDQ        $32, SI
	ADDQ        $32, DX
	SUBQ        $8, CX
	JG          dotEight

dotDone:
	VADDPS       Y1, Y0, Y0
	VADDPS       Y3, Y2, Y2
	VADDPS       Y2, Y0, Y0
	VEXTRACTF128 $1, Y0, X1
	VADDPS       X1, X0, X0
	VHADDPS      X0, X0, X0
	VHADDPS      X0, X0, X0
	VMOVSS       X0, ret+24(FP)
	VZEROUPPER
	RET

// func packRows(to, from *float32, stride, k int)
//
// It transposes eight rows of k numbers, a multiple of 8, into a half of a panel: 8 by 8 at a time.
TEXT ·packRows(SB), NOSPLIT, $0-32
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ stride+16(FP), AX
	MOVQ k+24(FP), CX
	SHLQ $2, AX
	LEAQ (AX)(AX*2), BX
	LEAQ (SI)(AX*4), DX

packLoop:
	VMOVUPS     (SI), Y0
	VMOVUPS     (SI)(AX*1), Y1
	VMOVUPS     (SI)(AX*2), Y2
	VMOVUPS     (SI)(BX*1), Y3
	VMOVUPS     (DX), Y4
	VMOVUPS     (DX)(AX*1), Y5
	VMOVUPS     (DX)(AX*2), Y6
	VMOVUPS     (DX)(BX*1), Y7
	VUNPCKLPS   Y1, Y0, Y8
	VUNPCKHPS   Y1, Y0, Y9
	VUNPCKLPS   Y3, Y2, Y10
	VUNPCKHPS   Y3, Y2, Y11
	VUNPCKLPS   Y5, Y4, Y12
	VUNPCKHPS   Y5, Y4, Y13
	VUNPCKLPS   Y7, Y6, Y14
	VUNPCKHPS   Y7, Y6, Y15
	VUNPCKLPD   Y10, Y8, Y0
	VUNPCKHPD   Y10, Y8, Y1
	VUNPCKLPD   Y11, Y9, Y2
	VUNPCKHPD   Y11, Y9, Y3
	VUNPCKLPD   Y14, Y12, Y4
	VUNPCKHPD   Y14, Y12, Y5
	VUNPCKLPD   Y15, Y13, Y6
	VUNPCKHPD   Y15, Y13, Y7
	VPERM2F128  $0x20, Y4, Y0, Y8
	VPERM2F128  $0x20, Y5, Y1, Y9
	VPERM2F128  $0x20, Y6, Y2, Y10
	VPERM2F128  $0x20, Y7, Y3, Y11
	VPERM2F128  $0x31, Y4, Y0, Y12
	VPERM2F128  $0x31, Y5, Y1, Y13
	VPERM2F128  $0x31, Y6, Y2, Y14
	VPERM2F128  $0x31, Y7, Y3, Y15
	VMOVUPS     Y8, (DI)
	VMOVUPS     Y9, 64(DI)
	VMOVUPS     Y10, 128(DI)
	VMOVUPS     Y11, 192(DI)
	VMOVUPS     Y12, 256(DI)
	VMOVUPS     Y13, 320(DI)
	VMOVUPS     Y14, 384(DI)
	VMOVUPS     Y15, 448(DI)
	ADDQ        $32, SI
	ADDQ        $32, DX
	ADDQ        $512, DI
	SUBQ        $8, CX
	JG          packLoop
	VZEROUPPER
	RET

// func packColumns(to, from *float32, stride, k int)
TEXT ·packColumns(SB), NOSPLIT, $0-32
	MOVQ to+0(FP), DI
	MOVQ from+8(FP), SI
	MOVQ stride+16(FP), AX
	MOVQ k+24(FP), CX
	SHLQ $2, AX

columnsLoop:
	VMOVUPS (SI), Y0
	VMOVUPS 32(SI), Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	ADDQ    AX, SI
	ADDQ    $64, DI
	DECQ    CX
	JNE     columnsLoop
	VZEROUPPER
	RET
