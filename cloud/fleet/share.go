package fleet

import (
	"encoding/json"
	"math"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/fleetjoin/fleetjoin/cloud/membership"
)

// Share is a part of a whole: a percentage, written "5%", or a count, written 12. It is read from those and from "12".
type Share struct {
	Count   int
	Percent float64 // above 0: a percentage, of which three decimals count
}

const wantShare = `want a count of at least 1, such as 12, or a percentage above 0 with at most 3 decimals, such as "5%"`

// In a plan, nothing is never a share: "failures": 0 may be meant as none at all and must not be read as unlimited.
var shareForm = regexp.MustCompile(`^(\d{1,9}|\d{1,9}(\.\d{1,3})?%)$`)

// UnmarshalJSON reads 12, "12", "5%" and "2.5%"; null changes nothing.
func (s *Share) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	text := string(data)
	if data[0] == '"' {
		if err := json.Unmarshal(data, &text); err != nil {
			return err
		}
	}
	read, ok := parseShare(text)
	if !ok {
		// Of this type because encoding/json adds the field's name to it, and to no other.
		return &json.UnmarshalTypeError{Value: describe(data), Type: reflect.TypeFor[Share]()}
	}
	*s = read
	return nil
}

func parseShare(text string) (s Share, ok bool) {
	if !shareForm.MatchString(text) {
		return Share{}, false
	}
	number, percent := strings.CutSuffix(text, "%")
	if percent {
		s.Percent, _ = strconv.ParseFloat(number, 64)
	} else {
		s.Count, _ = strconv.Atoi(number)
	}
	return s, s != Share{}
}

// MarshalJSON writes what UnmarshalJSON reads.
func (s Share) MarshalJSON() ([]byte, error) {
	if s.Percent == 0 {
		return []byte(s.String()), nil
	}
	return json.Marshal(s.String())
}

// String returns the share as it is written in a plan.
func (s Share) String() string {
	if s.Percent == 0 {
		return strconv.Itoa(s.Count)
	}
	return strconv.FormatFloat(s.Percent, 'f', -1, 64) + "%"
}

// Of returns how many of total the share is: rounded down, but never none of something. A count may be above total.
func (s Share) Of(total int) int {
	switch {
	case total <= 0:
		return 0
	case s.Percent == 0:
		return max(s.Count, 1)
	}
	// In whole thousandths, because 2.3% of 1000 must be 23 although no float is 2.3.
	thousandths := int(math.Round(s.Percent * 1000))
	return max(total*thousandths/100_000, 1)
}

// problems returns what is wrong with a share, whatever it is a share of.
func (s Share) problems(field string) []membership.Problem {
	bad := func(want string) []membership.Problem {
		return []membership.Problem{{Field: field, Value: s.String(), Want: want}}
	}
	switch {
	case s.Percent != 0 && s.Count != 0:
		return bad("want a count or a percentage, not both")
	case s.Percent > 100:
		return bad("want at most 100%")
	case s.Percent != 0 && !(s.Percent >= 0.001), s.Percent == 0 && s.Count < 1:
		return bad(wantShare)
	}
	return nil
}
