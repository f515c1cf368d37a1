// Package float8 widens the floating-point numbers of eight bits that weights
// are stored in.
//
// The formats are those of PyTorch's dtypes and of safetensors:
// https://github.com/jax-ml/ml_dtypes#specifications-of-implemented-floating-point-formats
package float8

import "math"

// E4M3FN widens a number of 4 bits exponent and 3 bits mantissa without
// infinities: torch.float8_e4m3fn, F8_E4M3 in safetensors.
func E4M3FN(b uint8) float32 {
	if b&0x7f == 0x7f {
		return float32(math.NaN())
	}
	return widen(b, 3, 7)
}

// E5M2 widens a number of 5 bits exponent and 2 bits mantissa:
// torch.float8_e5m2, F8_E5M2 in safetensors.
func E5M2(b uint8) float32 {
	if b&0x7c == 0x7c {
		if b&3 != 0 {
			return float32(math.NaN())
		}
		return float32(math.Inf(1 - 2*int(b>>7)))
	}
	return widen(b, 2, 15)
}

// E4M3FNUZ widens torch.float8_e4m3fnuz, which has no negative zero.
func E4M3FNUZ(b uint8) float32 {
	if b == 0x80 {
		return float32(math.NaN())
	}
	return widen(b, 3, 8)
}

// E5M2FNUZ widens torch.float8_e5m2fnuz, which has no negative zero.
func E5M2FNUZ(b uint8) float32 {
	if b == 0x80 {
		return float32(math.NaN())
	}
	return widen(b, 2, 16)
}

// E8M0 widens torch.float8_e8m0fnu, F8_E8M0 in safetensors: a power of two, the
// scale of a block of smaller numbers.
func E8M0(b uint8) float32 {
	if b == 0xff {
		return float32(math.NaN())
	}
	return float32(math.Ldexp(1, int(b)-127))
}

// widen reads sign, exponent with a bias, and so many bits of mantissa.
func widen(b uint8, mantissa, bias int) float32 {
	exponent := int(b&0x7f) >> mantissa
	m := int(b) & (1<<mantissa - 1)
	if exponent == 0 {
		exponent = 1 // subnormal: no leading one
	} else {
		m |= 1 << mantissa
	}
	v := float32(math.Ldexp(float64(m), exponent-bias-mantissa))
	if b&0x80 != 0 {
		return -v
	}
	return v
}
