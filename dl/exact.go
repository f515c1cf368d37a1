package dl

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// exact is a float64 that JSON keeps to the last bit, also where it is NaN or
// infinite, which encoding/json refuses.
type exact float64

// MarshalJSON writes a number, or a string for what is none.
func (e exact) MarshalJSON() ([]byte, error) {
	v := float64(e)
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return json.Marshal(fmt.Sprint(v))
	}
	return json.Marshal(v)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (e *exact) UnmarshalJSON(b []byte) error {
	s := string(b)
	if len(b) > 0 && b[0] == '"' {
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
	}
	v, err := strconv.ParseFloat(s, 64)
	*e = exact(v)
	return err
}
