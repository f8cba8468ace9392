package world

import (
	"fmt"
	"slices"
	"strings"
)

// validation collects mistakes.
type validation struct{ errs []error }

func (v *validation) bad(field string, value any, why string) {
	if text, ok := value.(string); ok {
		value = fmt.Sprintf("%q", text)
	}
	v.errs = append(v.errs, fmt.Errorf("%s: %v %s", field, value, why))
}

func (v *validation) required(field, value string) {
	if value == "" {
		v.errs = append(v.errs, fmt.Errorf("%s: is missing", field))
	}
}

// oneOf accepts the empty string too: it stands for the default.
func (v *validation) oneOf(field, value string, known ...string) {
	if value != "" && !slices.Contains(known, value) {
		v.bad(field, value, "is not one of "+strings.Join(known, ", "))
	}
}

func (v *validation) percent(field string, value float64) {
	if value < 0 || value > 100 {
		v.bad(field, value, "is not between 0 and 100")
	}
}

func (v *validation) atLeast(field string, value, least int) {
	if value < least {
		v.bad(field, value, fmt.Sprintf("is less than %d", least))
	}
}

// unique returns a function that reports values it has seen before.
func (v *validation) unique() func(field, value string) {
	seen := map[string]string{}
	return func(field, value string) {
		if first, ok := seen[value]; ok && value != "" {
			v.bad(field, value, "is taken by "+first)
			return
		}
		seen[value] = field
	}
}
