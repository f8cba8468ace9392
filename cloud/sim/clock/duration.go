package clock

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// Duration is a time.Duration written the Go way, "1m30s", in JSON and YAML.
type Duration time.Duration

// MarshalJSON writes the duration as a string.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(time.Duration(d).String()) }

// UnmarshalJSON reads "20s" and the like; negative durations are refused.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("%s is not a duration such as \"20s\"", data)
	}
	parsed, err := parse(text)
	*d = Duration(parsed)
	return err
}

// Range is a duration drawn evenly from Min to Max. It is written "20s" or "10s-60s".
type Range struct{ Min, Max time.Duration }

// Fixed returns the range that holds only d.
func Fixed(d time.Duration) Range { return Range{d, d} }

// Draw returns a duration from the range.
func (r Range) Draw(random *rand.Rand) time.Duration {
	if r.Max <= r.Min {
		return r.Min
	}
	return r.Min + time.Duration(random.Int64N(int64(r.Max-r.Min)+1))
}

// MarshalJSON writes "20s" or "10s-60s".
func (r Range) MarshalJSON() ([]byte, error) {
	if r.Min == r.Max {
		return json.Marshal(r.Min.String())
	}
	return json.Marshal(r.Min.String() + "-" + r.Max.String())
}

// UnmarshalJSON reads "20s" or "10s-60s".
func (r *Range) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("%s is not a duration such as \"20s\" or a range such as \"10s-60s\"", data)
	}
	low, high, isRange := strings.Cut(text, "-")
	if !isRange {
		high = low
	}
	var err error
	if r.Min, err = parse(low); err != nil {
		return err
	}
	if r.Max, err = parse(high); err != nil {
		return err
	}
	if r.Max < r.Min {
		return fmt.Errorf("%q is a range whose end is before its start", text)
	}
	return nil
}

func parse(text string) (time.Duration, error) {
	d, err := time.ParseDuration(strings.TrimSpace(text))
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is not a duration such as \"20s\"", text)
	}
	return d, nil
}
