package thousands

import (
	"math"
	"testing"
)

func TestText(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 50000: "50,000", 123456: "123,456", 1234567: "1,234,567",
		-7: "-7", -999: "-999", -1000: "-1,000", -123456: "-123,456", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := Text(n); got != want {
			t.Errorf("%d is written %s, want %s", n, got, want)
		}
	}
}
