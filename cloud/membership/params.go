package membership

import (
	"fmt"
	"math"
	"time"
)

// ParamSpec is what people read of a parameter.
type ParamSpec struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default"`
	Help    string `json:"help"`
}

// Param declares a parameter: what people read of it, what it takes, and where its value goes. Make it with Flag and its
// like, as with package flag of the standard library.
type Param struct {
	ParamSpec
	needed string                        // what to say when it is missing; "" when it need not be given
	secret bool                          // no value is ever shown: it may be a password
	take   func(given any) (want string) // stores a value, or says what would work
}

// Specs are what people read of parameters.
func Specs(declared []Param) []ParamSpec {
	specs := make([]ParamSpec, len(declared))
	for i, p := range declared {
		specs[i] = p.ParamSpec
	}
	return specs
}

// Read stores the parameters that were given where their declarations say, and returns what is wrong with them. That one
// is not declared is for Validate to tell.
func (given Params) Read(declared []Param) (problems []Problem) {
	for _, p := range declared {
		v, ok := given[p.Name]
		switch {
		case !ok && p.needed != "":
			problems = append(problems, Problem{Field: "params." + p.Name, Want: "is missing; " + p.needed})
		case ok:
			if want := p.take(v); want != "" {
				problem := Problem{Field: "params." + p.Name, Value: Quote(fmt.Sprint(v)), Want: want}
				if p.secret {
					problem.Value = ""
				}
				problems = append(problems, problem)
			}
		}
	}
	return problems
}

// Has reports whether a parameter was given.
func (given Params) Has(name string) bool {
	_, ok := given[name]
	return ok
}

// Bad is what is wrong with a parameter beside others.
func (given Params) Bad(name, want string) Problem {
	return Problem{Field: "params." + name, Value: Quote(fmt.Sprint(given[name])), Want: want}
}

// Flag declares a parameter that is true or false.
func Flag(into *bool, name string, byDefault bool, help string) Param {
	*into = byDefault
	return Param{ParamSpec: ParamSpec{name, "boolean", fmt.Sprint(byDefault), help}, take: func(v any) string {
		b, ok := v.(bool)
		if !ok {
			return "want true or false"
		}
		*into = b
		return ""
	}}
}

// Between declares a duration from least to most; 0 when it is not given.
func Between(into *time.Duration, name, byDefault string, least, most time.Duration, help string) Param {
	return Param{ParamSpec: ParamSpec{name, "duration", byDefault, help}, take: func(v any) string {
		text, _ := v.(string)
		d, err := time.ParseDuration(text)
		if err != nil || d < least || d > most {
			return fmt.Sprintf("want a duration of %s to %s, such as %s", least, most, least)
		}
		*into = d
		return ""
	}}
}

// Whole declares a whole number from 1 to most.
func Whole(into *int, name, byDefault string, most int, help string) Param {
	return Param{ParamSpec: ParamSpec{name, "number", byDefault, help}, take: func(v any) string {
		n, ok := v.(float64) // as in all JSON
		if !ok || n != math.Trunc(n) || n < 1 || n > float64(most) {
			return fmt.Sprintf("want a whole number from 1 to %d", most)
		}
		*into = int(n)
		return ""
	}}
}

// Text declares a text for which check returns what would work, "" when it does as it is.
func Text(into *string, spec ParamSpec, check func(text string) (want string)) Param {
	return Param{ParamSpec: spec, take: func(v any) string {
		*into, _ = v.(string)
		return check(*into)
	}}
}

// Object declares an object, or whatever else take reads; take stores it, or says what would work.
func Object(name, byDefault, help string, take func(given any) (want string)) Param {
	return Param{ParamSpec: ParamSpec{name, "object", byDefault, help}, take: take}
}

// Needed says that a parameter must be given; want is what to say when it is not.
func (p Param) Needed(want string) Param {
	p.needed = want
	return p
}

// Secret says that no value of a parameter may be shown.
func (p Param) Secret() Param {
	p.secret = true
	return p
}
